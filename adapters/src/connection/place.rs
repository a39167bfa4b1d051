//! What a connection is made to.

use hyper::Uri;

use super::Reach;

/// Scheme, host and port, and which addresses they may lead to.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Without a path.
    pub(crate) origin: Uri,
    pub(crate) reach: Reach,
}

//! What URLs of AWS's services name. Nothing here needs a service's SDK: it is read where that is not linked too, to check what
//! another handler will be given.

pub(crate) mod dynamodb;
pub(crate) mod kinesis;
pub(crate) mod s3;
pub(crate) mod sqs;

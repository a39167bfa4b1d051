//! Loads and runs models that are built here, node by node.

mod build;
mod external;
mod hostile;
mod infer;
mod refuse;

//! `SVMClassifier` and `SVMRegressor`: support vector machines, as libsvm and liblinear make them.

mod classifier;
mod coupling;
mod kernel;
mod pairwise;
mod regressor;

pub(super) use classifier::read as read_classifier;
pub(super) use regressor::read as read_regressor;

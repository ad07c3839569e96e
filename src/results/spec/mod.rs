//! What a user says of a network and its training. Stages have these as parameters, and documents say with which a model was made.

mod network;
mod optimizer;
mod schedule;
mod training;

pub use network::{
    Activation, AdaptSpec, CategoryBranchSpec, CategoryColumnSpec, ColumnBranchSpec, Fusion, MOST, NetworkSpec,
    NumericBranchSpec, NumericEmbedding, Parametrization, Scaling, TextBranchSpec, TrunkKind, TrunkSpec, WIDEST,
};
pub use optimizer::{Factors, OptimizerKind, OptimizerSpec};
pub use schedule::{ScheduleKind, ScheduleSpec};
pub use training::{
    ClassWeights, DropoutSchedule, EarlyStoppingSpec, Loss, NamedWeights, TrainingSpec, training_defaults,
};

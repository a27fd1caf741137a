//! What the behaviour tests share: fault-injecting store, oracle, workloads, comparison.

pub mod budget;
pub mod conformance;
pub mod fault;
pub mod oracle;
pub mod random;
pub mod workload;

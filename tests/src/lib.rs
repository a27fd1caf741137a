//! What the behaviour tests share: fault-injecting store, oracles, workloads.

pub mod fault;
pub mod oracle;
pub mod random;
pub mod workload;

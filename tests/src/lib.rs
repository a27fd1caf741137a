//! What the behaviour tests share: fault-injecting store, oracles, workloads.

pub mod fault;
pub mod random;

//! What the behaviour tests share: fault-injecting store, oracle, workloads, comparison, the contracts of a store.

pub mod backup;
pub mod budget;
pub mod check;
pub mod conformance;
pub mod contract;
pub mod engine;
pub mod fault;
pub mod golden;
pub mod hooked;
pub mod oracle;
pub mod random;
pub mod recovery;
pub mod session;
pub mod small;
pub mod suite;
pub mod workload;

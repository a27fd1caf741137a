//! What the behaviour tests share: fault-injecting store, oracles, workloads.

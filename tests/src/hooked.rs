//! A store in which something happens when a certain file is read or opened.

use std::cell::RefCell;
use std::rc::Rc;

use driftdb_core::Result;
use driftdb_core::storage::{Access, Blob, Lock, LockState, Store, Synced};

/// What happens, once.
type Hook = Box<dyn FnOnce()>;

/// A store around another one.
pub struct Hooked<S> {
    inner: S,
    path: String,
    hook: RefCell<Option<Hook>>,
}

impl<S: Store> Hooked<S> {
    /// The hook runs before the file is read or opened next.
    pub fn new(inner: S, path: &str, hook: impl FnOnce() + 'static) -> Rc<Self> {
        let hooked = Rc::new(Hooked {
            inner,
            path: path.into(),
            hook: RefCell::default(),
        });
        hooked.arm(hook);
        hooked
    }

    /// Sets another hook.
    pub fn arm(&self, hook: impl FnOnce() + 'static) {
        *self.hook.borrow_mut() = Some(Box::new(hook));
    }

    /// Whether the hook has not run.
    pub fn is_armed(&self) -> bool {
        self.hook.borrow().is_some()
    }

    fn reach(&self, path: &str) {
        if path != self.path {
            return;
        }
        let hook = self.hook.borrow_mut().take();
        if let Some(hook) = hook {
            hook();
        }
    }
}

impl<S: Store> Store for Hooked<S> {
    fn lock(&self) -> Result<Box<dyn Lock>> {
        self.inner.lock()
    }

    fn lock_state(&self) -> Result<LockState> {
        self.inner.lock_state()
    }

    fn list(&self, dir: &str) -> Result<Vec<String>> {
        self.inner.list(dir)
    }

    fn open(&self, path: &str, access: Access) -> Result<Option<Box<dyn Blob>>> {
        self.reach(path);
        self.inner.open(path, access)
    }

    fn create(&self, path: &str) -> Result<Box<dyn Blob>> {
        self.inner.create(path)
    }

    fn remove(&self, path: &str) -> Result<()> {
        self.inner.remove(path)
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.inner.rename(from, to)
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<Synced> {
        self.inner.replace(path, bytes)
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        self.reach(path);
        self.inner.read(path)
    }
}

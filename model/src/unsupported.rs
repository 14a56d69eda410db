//! qvm's `unsupported TYPE ACTION`: what happens when emulation cannot finish.

/// What to do about one class of unsupported event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Print the guest's state and end the VM with exit code 5.
    Abort,
    /// Inject the exception that the architecture names.
    Fail,
    /// Do nothing; reads give all ones.
    Ignore,
}

/// One action for each class, with qvm's defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// A trapped instruction that cannot be emulated.
    pub instruction: Action,
    /// An access to guest-physical memory where nothing is.
    pub reference: Action,
    /// A system register that is not virtualised.
    pub register: Action,
}

impl Default for Unsupported {
    fn default() -> Self {
        Unsupported { instruction: Action::Fail, reference: Action::Ignore, register: Action::Fail }
    }
}

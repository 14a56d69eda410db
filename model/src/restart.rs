//! What a VM's end leads to: `set ostler-restart` and its kin.

/// When a VM starts again by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum When {
    /// No `set ostler-restart`: when its guest asks for a reset.
    #[default]
    OnReset,
    /// `never`: any end is the end, as in qvm.
    Never,
    /// `on-failure`: after a reset, and after an end with another code than 0.
    OnFailure,
    /// `always`: after a power-off, too.
    Always,
}

/// What a VM's end leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restart {
    /// `set ostler-restart`.
    pub when: When,
    /// `set ostler-restart-delay`: before the first of the restarts that are not the guest's own wish, in milliseconds. Each
    /// time it doubles, up to [`Restart::MOST_DELAY_MS`].
    pub delay_ms: u32,
    /// `set ostler-restart-limit`: most of these restarts without [`Restart::CALM_MS`] of running well in between.
    pub limit: Option<u32>,
    /// `set ostler-restart-group`: when one of the group restarts and that is not its guest's own wish, all of it restarts.
    pub group: Option<&'static str>,
    /// `set ostler-board-stop`: when it has ended for good, the board ends.
    pub board_stop: bool,
}

impl Restart {
    /// Without any setting.
    pub const DEFAULT: Restart =
        Restart { when: When::OnReset, delay_ms: Restart::DELAY_MS, limit: None, group: None, board_stop: false };
    /// Without `set ostler-restart-delay`.
    pub const DELAY_MS: u32 = 100;
    /// The delay grows up to this.
    pub const MOST_DELAY_MS: u32 = 60_000;
    /// A VM that has run so long runs well: what was before is forgotten.
    pub const CALM_MS: u32 = 10_000;
    /// Highest `set ostler-restart-limit`.
    pub const MOST_LIMIT: u32 = 1_000_000;
}

//! The board as boot found it: what the rest of the hypervisor may ask of it, and how it ends.

use core::sync::atomic::{AtomicU64, Ordering};

use arch::firmware::{self, Conduit};
use arch::gic::Frame;
use spin::Once;

/// What is kept of the board's device tree after boot.
#[derive(Debug)]
pub struct Board {
    /// How the firmware is called; `None` if it has no PSCI.
    pub conduit: Option<Conduit>,
    /// The interrupt controller's distributor; `None` if there is none.
    pub distributor: Option<Frame>,
}

static BOARD: Once<Board> = Once::new();
/// Memory that boot left over. Nothing is allocated afterwards, so it stays as it is.
static FREE_BYTES: AtomicU64 = AtomicU64::new(0);

/// Keeps `board` for good.
pub fn set(board: Board) {
    BOARD.call_once(|| board);
}

/// Keeps how much of the board's memory boot left over.
pub fn set_free_bytes(bytes: u64) {
    FREE_BYTES.store(bytes, Ordering::Relaxed);
}

/// Bytes of the board's memory that nobody has.
pub fn free_bytes() -> u64 {
    FREE_BYTES.load(Ordering::Relaxed)
}

/// The interrupt controller's distributor; `None` if there is none, or before [`set`].
pub fn distributor() -> Option<Frame> {
    BOARD.get().and_then(|board| board.distributor)
}

/// How the firmware is called; `None` if it has no PSCI, or before [`set`].
pub fn conduit() -> Option<Conduit> {
    BOARD.get().and_then(|board| board.conduit)
}

/// Ends the board: powers it off if all went well, resets it otherwise. A board whose firmware can do neither, or is
/// not known yet, halts.
pub fn end(well: bool) -> ! {
    match conduit() {
        Some(conduit) if well => firmware::system_off(conduit),
        Some(conduit) => firmware::system_reset(conduit),
        None => arch::cpu::halt(),
    }
}

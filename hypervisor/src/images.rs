//! A VM's memory as it is before the first instruction: zeroed, with fresh images and seeds.
//!
//! The same way serves the first start and every restart, so that a guest cannot tell them apart and nothing of its
//! former self is left. It goes in small steps: half a gigabyte takes its time, and a pCPU has others to run meanwhile.

use model::images::Table;
use model::{Extent, Load};
use spin::{Mutex, Once};

use crate::direct::guest_bytes;
use crate::random::Random;

/// Bytes of one step: some ten thousand instructions at most. A multiple of a page.
const STEP_BYTES: u64 = 128 << 10;

/// The image section, and the stream that fills seeds.
struct Store {
    images: Table<'static>,
    random: Option<Mutex<Random>>,
}

static STORE: Once<Store> = Once::new();

/// Keeps the image section for good, and the random stream if guests here are told seeds.
pub fn open(images: Table<'static>, random: impl FnOnce() -> Random) {
    STORE.call_once(|| Store { images, random: arch::TELLS_SEEDS.then(|| Mutex::new(random())) });
}

/// The filling of one VM's memory, begun and not finished. None of its vCPUs runs until it is cleaned.
#[derive(Debug)]
pub struct Fill {
    config: &'static model::Vm,
    extents: &'static [Extent],
    stage: Stage,
    /// Which extent, or load, and how many bytes of it are done.
    index: usize,
    done: u64,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Zeroes in all extents.
    Scrub,
    /// The images.
    Copy,
    /// Nothing new: what caches hold goes where a guest without caches finds it. The other stages do so for what they write.
    Clean,
}

/// Why memory cannot be filled.
type Failure = &'static str;

impl Fill {
    /// All of it is still to be done: the memory of the VM that `config` describes is in `extents`.
    pub fn new(config: &'static model::Vm, extents: &'static [Extent]) -> Fill {
        Fill { config, extents, stage: Stage::Scrub, index: 0, done: 0 }
    }

    /// No filling, and so no harm to vCPUs that run: what caches hold of the memory goes where a guest without caches finds it.
    pub fn clean(config: &'static model::Vm, extents: &'static [Extent]) -> Fill {
        Fill { stage: Stage::Clean, ..Fill::new(config, extents) }
    }

    /// Does a piece of it. True if that was the last one.
    pub fn step(&mut self) -> Result<bool, Failure> {
        let piece = match self.stage {
            Stage::Scrub | Stage::Clean => self.extents.get(self.index).map(|extent| extent.size_bytes),
            Stage::Copy => self.config.loads.get(self.index).map(|load| load.size_bytes),
        };
        let Some(total) = piece else { return Ok(self.next_stage()) };
        let size = total.saturating_sub(self.done).min(STEP_BYTES);
        match self.stage {
            Stage::Scrub => self.on_extent(|at| {
                // SAFETY: direct-mapped RAM of this VM, in whole pages, and no vCPU of it runs.
                unsafe { arch::cpu::scrub_pages(at, size) }
            }),
            Stage::Copy => self.copy(size).ok_or("an image is not what it was assembled for")?,
            Stage::Clean => self.on_extent(|at| arch::cpu::clean_to_coherency(at, size)),
        }
        self.done = self.done.saturating_add(size);
        if self.done >= total {
            (self.index, self.done) = (self.index.saturating_add(1), 0);
        }
        Ok(false)
    }

    /// All of it at once.
    pub fn finish(mut self) -> Result<(), Failure> {
        while !self.step()? {}
        Ok(())
    }

    fn next_stage(&mut self) -> bool {
        (self.index, self.done) = (0, 0);
        if let Stage::Scrub = self.stage {
            self.stage = Stage::Copy;
            return false;
        }
        arch::cpu::invalidate_instructions();
        true
    }

    fn on_extent(&self, act: impl FnOnce(u64)) {
        if let Some(at) = self.extents.get(self.index).and_then(|extent| extent.hpa.0.checked_add(self.done)) {
            act(at);
        }
    }

    /// Copies the next `size` bytes of a load; its seeds when it is complete.
    fn copy(&self, size: u64) -> Option<()> {
        let store = STORE.get()?;
        let load = self.config.loads.get(self.index)?;
        let target = self.bytes(load)?;
        let source = store.images.blob(usize::from(load.image))?;
        let from = usize::try_from(load.offset.checked_add(self.done)?).ok()?;
        let (to, size) = (usize::try_from(self.done).ok()?, usize::try_from(size).ok()?);
        let source = source.get(from..from.checked_add(size)?)?;
        let piece = target.get_mut(to..to.checked_add(size)?)?;
        piece.copy_from_slice(source);
        clean(piece);
        if to.checked_add(size)? == target.len() {
            for seed in load.seeds {
                let start = usize::try_from(seed.offset).ok()?;
                let end = start.checked_add(usize::try_from(seed.size_bytes).ok()?)?;
                let seed = target.get_mut(start..end)?;
                if arch::TELLS_SEEDS
                    && let Some(random) = &store.random
                {
                    random.lock().fill(seed);
                }
                clean(seed);
            }
        }
        Some(())
    }

    /// Where a load goes.
    fn bytes(&self, load: &Load) -> Option<&'static mut [u8]> {
        let (hpa, left) = self.extents.iter().find_map(|extent| extent.translate(load.gpa))?;
        if load.size_bytes > left {
            return None;
        }
        // SAFETY: the range lies in one extent of this VM, none of whose vCPUs runs; there is one `Fill` of a VM at a time,
        // and the slice ends with `copy`.
        Some(unsafe { guest_bytes(hpa, usize::try_from(load.size_bytes).ok()?) })
    }
}

/// Makes `bytes` visible to a guest whose caches are off.
fn clean(bytes: &[u8]) {
    arch::cpu::clean_to_coherency(bytes.as_ptr() as u64, bytes.len() as u64);
}

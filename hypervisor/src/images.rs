//! A VM's memory as it is before the first instruction: zeroed, with fresh images and seeds.
//!
//! The same way serves the first start and every restart, so that a guest cannot tell them apart and nothing of its
//! former self is left.

use model::images::Table;
use model::{Extent, Load};
use spin::{Mutex, Once};

use crate::direct::guest_bytes;
use crate::random::Random;

/// The image section, and the stream that fills seeds.
struct Store {
    images: Table<'static>,
    random: Mutex<Random>,
}

static STORE: Once<Store> = Once::new();

/// Keeps the image section and the random stream for good.
pub fn open(images: Table<'static>, random: Random) {
    STORE.call_once(|| Store { images, random: Mutex::new(random) });
}

/// Zeroes `extents`, copies the images in, fills in the seeds, and makes it all visible to a guest whose caches are off.
/// None of the VM's vCPUs runs.
pub fn fill(config: &model::Vm, extents: &[Extent]) -> Result<(), &'static str> {
    let store = STORE.get().ok_or("there are no images")?;
    for extent in extents {
        // SAFETY: direct-mapped RAM of this VM, in whole pages, and no vCPU of it runs.
        unsafe { arch::cpu::zero_pages(extent.hpa.0, extent.size_bytes) };
    }
    for load in config.loads {
        store.copy(load, extents).ok_or("an image is not what it was assembled for")?;
    }
    for extent in extents {
        arch::cpu::clean_to_coherency(extent.hpa.0, extent.size_bytes);
    }
    arch::cpu::invalidate_instructions();
    Ok(())
}

impl Store {
    fn copy(&self, load: &Load, extents: &[Extent]) -> Option<()> {
        let size = usize::try_from(load.size_bytes).ok()?;
        let offset = usize::try_from(load.offset).ok()?;
        let source = self.images.blob(usize::from(load.image))?.get(offset..offset.checked_add(size)?)?;
        let (hpa, left) = extents.iter().find_map(|extent| extent.translate(load.gpa))?;
        if load.size_bytes > left {
            return None;
        }
        // SAFETY: the range lies in one extent of this VM, none of whose vCPUs runs; the slice ends with this call.
        let target = unsafe { guest_bytes(hpa, size) };
        target.copy_from_slice(source);
        for seed in load.seeds {
            let start = usize::try_from(seed.offset).ok()?;
            let end = start.checked_add(usize::try_from(seed.size_bytes).ok()?)?;
            self.random.lock().fill(target.get_mut(start..end)?);
        }
        Some(())
    }
}

//! The random bytes in the device tree: there, and not the zeros of a tree that nobody filled in.

use guest_runtime::{Machine, Verdict, say};

/// Looks at both seeds. Two halves that are alike would be no random bytes.
pub(super) fn differ(machine: &Machine) -> Verdict {
    let Machine { kaslr_seed, rng_seed, .. } = machine;
    if machine.is_ostler && (kaslr_seed.len() < 8 || rng_seed.len() < 32) {
        return Err("/chosen lacks kaslr-seed or rng-seed");
    }
    for seed in [kaslr_seed, rng_seed] {
        let (first, second) = seed.split_at(seed.len() / 2);
        if !seed.is_empty() && first == second {
            return Err("kaslr-seed or rng-seed is not random");
        }
    }
    say!("{} bytes of kaslr-seed, {} of rng-seed", kaslr_seed.len(), rng_seed.len());
    Ok(())
}

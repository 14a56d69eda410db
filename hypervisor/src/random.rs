//! Random bytes for the seeds in guests' device trees.
//!
//! A ChaCha20 stream whose key is made of the seeds that the board's firmware gave, and of the counter. Without a seed from
//! the board the bytes differ from boot to boot but can be guessed; the boot log says so.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// The stream.
pub struct Random(ChaCha20Rng);

impl Random {
    /// From the board's `rng-seed` (may be empty), its `kaslr-seed`, and the counter now.
    pub fn new(rng_seed: &[u8], kaslr_seed: Option<u64>, counter: u64) -> Random {
        let numbers = [kaslr_seed.unwrap_or(0).to_le_bytes(), counter.to_le_bytes()];
        let mut key = [0; 32];
        let mut parts = rng_seed.chunks(key.len());
        let mix = |key: &mut [u8; 32], part: &[u8]| key.iter_mut().zip(part).for_each(|(key, part)| *key ^= part);
        mix(&mut key, parts.next().unwrap_or_default());
        for part in parts.chain([numbers.as_flattened()]) {
            // Each part goes into what the stream of those before it gives: where it stands matters as well.
            ChaCha20Rng::from_seed(key).fill_bytes(&mut key);
            mix(&mut key, part);
        }
        Random(ChaCha20Rng::from_seed(key))
    }

    /// Fills `bytes`.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn every_seed_makes_another_stream() {
        let first = |rng: &[u8], kaslr, counter| {
            let mut bytes = [0; 16];
            Random::new(rng, kaslr, counter).fill(&mut bytes);
            bytes
        };
        let streams = [first(&[], None, 0), first(&[1], None, 0), first(&[], Some(1), 0), first(&[], None, 1)];
        for (index, stream) in streams.iter().enumerate() {
            assert!(!streams[..index].contains(stream));
        }
        assert_eq!(first(&[7; 64], None, 5), first(&[7; 64], None, 5));
    }
}

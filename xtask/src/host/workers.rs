//! Work that is done side by side, by several threads that take the next piece when they are done with one.

use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

/// Does `work` for each of `pieces`, `workers` at a time, and tells of each to `done` on this thread, in the order in which they end. `work`
/// gets its worker's number, from 0 on, of which each has one piece in hand at any time.
pub(crate) fn side_by_side<P: Send, R: Send>(
    workers: usize,
    pieces: impl Iterator<Item = P> + Send,
    work: impl Fn(usize, &P) -> R + Sync,
    mut done: impl FnMut(P, R),
) {
    let pieces = Mutex::new(pieces);
    let next = || pieces.lock().unwrap_or_else(PoisonError::into_inner).next();
    let (sender, ends) = mpsc::channel();
    thread::scope(|scope| {
        for worker in 0..workers.max(1) {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                while let Some(piece) = next() {
                    let result = work(worker, &piece);
                    // Nobody listens if `done` has panicked.
                    if sender.send((piece, result)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        ends.iter().for_each(|(piece, result)| done(piece, result));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn each_piece_is_done_once_by_workers_that_have_one_in_hand() {
        let busy = [const { AtomicBool::new(false) }; 3];
        let work = |worker: usize, piece: &u32| {
            assert!(!busy[worker].swap(true, Ordering::SeqCst), "worker {worker} has two");
            thread::yield_now();
            busy[worker].store(false, Ordering::SeqCst);
            piece * 2
        };
        let mut seen = Vec::new();
        side_by_side(3, 0..100, work, |piece, result| {
            assert_eq!(result, piece * 2);
            seen.push(piece);
        });
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..100));
    }

    #[test]
    fn they_work_at_the_same_time() {
        // Ends only if each of two has a piece while the other one has.
        let both = Barrier::new(2);
        let mut count = 0;
        side_by_side(2, 0..2, |_, _| both.wait(), |_, _| count += 1);
        assert_eq!(count, 2);
    }
}

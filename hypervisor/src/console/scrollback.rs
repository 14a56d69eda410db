//! The last that a source printed, kept so that it can be shown again, or for the first time.
//!
//! A byte is known by its position: how many the source printed before it. When the memory is full the oldest line
//! makes room as a whole, so that what is kept begins at the start of a line; only a line that is longer than all of the
//! memory loses its beginning.

/// The scroll-back of one source.
#[derive(Debug)]
pub(super) struct Scrollback {
    /// Position `p` is at `p` modulo the length.
    bytes: &'static mut [u8],
    /// Position of the oldest byte that is kept.
    start: u64,
    /// Position of the next byte to come.
    end: u64,
    /// Line ends among what is kept.
    line_ends: usize,
    /// Everything before this position was shown, or was meant not to be.
    shown: u64,
}

impl Scrollback {
    /// An empty scroll-back that keeps as much as fits into `bytes`.
    pub(super) fn new(bytes: &'static mut [u8]) -> Scrollback {
        Scrollback { bytes, start: 0, end: 0, line_ends: 0, shown: 0 }
    }

    /// The source printed `byte`.
    pub(super) fn push(&mut self, byte: u8) {
        if self.bytes.is_empty() {
            self.end = self.end.wrapping_add(1);
            self.start = self.end;
            return;
        }
        if self.end.wrapping_sub(self.start) >= self.bytes.len() as u64 {
            self.make_room();
        }
        let at = self.index(self.end);
        self.end = self.end.wrapping_add(1);
        if let Some(slot) = at.and_then(|at| self.bytes.get_mut(at)) {
            *slot = byte;
            self.line_ends = self.line_ends.saturating_add(usize::from(byte == b'\n'));
        }
    }

    /// Forgets the oldest line; of a line without an end, its oldest byte. For each byte that goes here one came before,
    /// so that a byte costs one step in the long run.
    fn make_room(&mut self) {
        let whole_line = self.line_ends > 0;
        while let Some(byte) = self.get(self.start) {
            self.start = self.start.wrapping_add(1);
            if byte == b'\n' {
                self.line_ends = self.line_ends.saturating_sub(1);
            }
            if byte == b'\n' || !whole_line {
                return;
            }
        }
    }

    /// The byte at `position`, if it is kept.
    pub(super) fn get(&self, position: u64) -> Option<u8> {
        let kept = (self.start..self.end).contains(&position);
        self.bytes.get(self.index(position)?).copied().filter(|_| kept)
    }

    /// Where `position` is in memory; `None` if there is no memory.
    fn index(&self, position: u64) -> Option<usize> {
        usize::try_from(position.checked_rem(self.bytes.len() as u64)?).ok()
    }

    /// Position of the oldest byte that is kept.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// Lines that are kept, one without an end included.
    pub(super) fn lines(&self) -> usize {
        let last = self.end.checked_sub(1).and_then(|last| self.get(last));
        self.line_ends.saturating_add(usize::from(last.is_some_and(|byte| byte != b'\n')))
    }

    /// All that was printed so far counts as shown.
    pub(super) fn mark_shown(&mut self) {
        self.shown = self.end;
    }

    /// Where that begins which was not shown, and how many bytes before that can't be shown any more; `None` if all was
    /// shown.
    pub(super) fn unseen(&self) -> Option<(u64, u64)> {
        let from = self.shown.max(self.start);
        (self.shown < self.end).then_some((from, from.saturating_sub(self.shown)))
    }
}

#[cfg(test)]
mod tests {
    use super::Scrollback;
    use proptest::prelude::*;

    fn scrollback(size: usize) -> Scrollback {
        Scrollback::new(Vec::leak(vec![0xaa; size]))
    }

    fn kept(scrollback: &Scrollback, from: u64) -> Vec<u8> {
        (from..).map_while(|position| scrollback.get(position)).collect()
    }

    #[test]
    fn the_oldest_line_makes_room_as_a_whole() {
        let mut scrollback = scrollback(10);
        b"one\ntwo\n".iter().for_each(|&byte| scrollback.push(byte));
        assert_eq!((kept(&scrollback, 0), scrollback.lines()), (b"one\ntwo\n".to_vec(), 2));
        b"thr".iter().for_each(|&byte| scrollback.push(byte));
        assert_eq!((kept(&scrollback, 4), scrollback.lines()), (b"two\nthr".to_vec(), 2));
        assert_eq!((scrollback.start(), scrollback.get(3), scrollback.get(11)), (4, None, None));
        assert_eq!(scrollback.unseen(), Some((4, 4)));
        scrollback.mark_shown();
        assert_eq!(scrollback.unseen(), None);
        scrollback.push(b'e');
        assert_eq!(scrollback.unseen(), Some((11, 0)));
    }

    #[test]
    fn without_memory_nothing_is_kept() {
        let mut scrollback = scrollback(0);
        scrollback.push(b'\n');
        assert_eq!((scrollback.get(0), scrollback.lines(), scrollback.unseen()), (None, 0, Some((1, 1))));
    }

    proptest! {
        /// What is kept is the tail of what was printed, as long as it can be in whole lines.
        #[test]
        fn the_tail_is_kept(
            size in 1usize..40,
            text in prop::collection::vec(prop::sample::select(b"abcdefgh\n".to_vec()), 0..200),
            shown in 0usize..200,
        ) {
            let mut scrollback = scrollback(size);
            for (count, &byte) in text.iter().enumerate() {
                if count == shown {
                    scrollback.mark_shown();
                }
                scrollback.push(byte);
            }
            let start = scrollback.start() as usize;
            prop_assert_eq!(kept(&scrollback, scrollback.start()), &text[start..]);
            prop_assert!(text.len() - start <= size);
            let line_start = start == 0 || text[start - 1] == b'\n';
            prop_assert!(line_start || (text.len() - start >= size - 1 && !text[start..text.len() - 1].contains(&b'\n')));
            // No more was forgotten than the last byte needed: one more line would not have fitted.
            if line_start && start > 0 {
                let previous = text[..start - 1].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
                let most = text[previous..].len();
                prop_assert!(most > size, "{most} bytes would have fitted into {size}");
            }
            prop_assert_eq!(scrollback.lines(), text[start..].split_inclusive(|&byte| byte == b'\n').count());
            let shown = if shown < text.len() { shown } else { 0 };
            let unseen = (shown < text.len()).then(|| (shown.max(start) as u64, start.saturating_sub(shown) as u64));
            prop_assert_eq!(scrollback.unseen(), unseen);
        }
    }
}

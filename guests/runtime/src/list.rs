//! A short list without a heap.

use core::ops::Deref;

/// At most `N` items; those after them are left out.
#[derive(Clone, Copy, Debug)]
pub struct List<T, const N: usize> {
    items: [T; N],
    count: usize,
}

impl<T, const N: usize> Deref for List<T, N> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items[..self.count]
    }
}

impl<T: Copy + Default, const N: usize> FromIterator<T> for List<T, N> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> List<T, N> {
        let mut list = List { items: [T::default(); N], count: 0 };
        for (slot, item) in list.items.iter_mut().zip(items) {
            *slot = item;
            list.count += 1;
        }
        list
    }
}

//! The same guest under Xen, on the same machine, in the same call. Xen is Debian's package, as it is.

pub(super) mod arm64;
pub(super) mod x86_64;

//! The code of every diagnostic, in one place.
//!
//! A code never changes its meaning and is never used again, so that it can be searched for and quoted. Q00xx is
//! the language (text, words, numbers, contexts), Q01xx is the assembler's checks (board, images, other VMs).

macro_rules! codes {
    ($($(#[doc = $meaning:literal])+ $name:ident = $code:literal,)+) => {
        $($(#[doc = $meaning])+ pub const $name: &str = $code;)+

        /// Every code and what it means.
        pub const ALL: &[(&str, &str)] = &[$(($code, concat!($($meaning),+).trim_ascii())),+];
    };
}

codes! {
    /// A qvm file cannot be read.
    UNREADABLE = "Q0001",
    /// A qvm file is not UTF-8.
    NOT_UTF8 = "Q0002",

    /// The board does not exist, or does not come with so many CPUs or so much memory.
    BOARD = "Q0101",
    /// Two VMs have one name.
    DUPLICATE_VM = "Q0102",
    /// A name has characters that names do not have, or is not unique in its VM.
    BAD_NAME = "Q0103",
    /// A range is empty, no multiple of a page, or beyond the guest-physical address space.
    BAD_RANGE = "Q0104",
    /// Two things claim one guest-physical address.
    OVERLAP = "Q0105",
    /// The VMs need more RAM than the board has.
    TOO_MUCH_MEMORY = "Q0106",
    /// A `runmask` names a pCPU that the board does not have.
    NO_SUCH_PCPU = "Q0107",
    /// Two vCPUs are bound to one pCPU.
    PCPU_TAKEN = "Q0108",
    /// There are more vCPUs than pCPUs.
    TOO_MANY_VCPUS = "Q0109",
    /// The virtual GIC cannot be of this version on this board.
    GIC_VERSION = "Q0110",
    /// A vdev lacks an option that it cannot do without.
    VDEV_OPTION = "Q0111",
    /// An interrupt line does not exist or is taken.
    INTERRUPT = "Q0112",
    /// A `hostdev` that is not built yet.
    HOSTDEV = "Q0113",
    /// A serial vdev leads nowhere.
    NO_HOSTDEV = "Q0114",
    /// A VM has no program to run, or more than one.
    NO_PROGRAM = "Q0115",
    /// A file that `load` names cannot be read.
    FILE_UNREADABLE = "Q0116",
    /// A file that `load` names is no image for this guest.
    BAD_IMAGE = "Q0117",
    /// An image does not fit where it has to be.
    NO_ROOM = "Q0118",
    /// A device tree that `fdt load` names is malformed or cannot be merged.
    BAD_TREE = "Q0119",
    /// A setting that this version does not have.
    NOT_BUILT = "Q0120",
}

#[cfg(test)]
mod tests {
    #[test]
    fn codes_are_unique_and_well_formed() {
        let mut seen = std::collections::BTreeSet::new();
        for (code, meaning) in super::ALL {
            let digits = code.strip_prefix('Q').expect(code);
            assert!(digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
            assert!(seen.insert(code), "{code} is there twice");
            assert!(meaning.ends_with('.'), "{code}: {meaning}");
        }
    }
}

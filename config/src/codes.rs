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
    /// A character that has no place in a qvm file.
    STRAY_CHARACTER = "Q0003",
    /// A quoted text has no end on its line.
    UNCLOSED_QUOTE = "Q0004",
    /// A backslash at a line's end outside of quotes.
    STRAY_CONTINUATION = "Q0005",
    /// A quotation mark that does not quote.
    WRONG_QUOTE = "Q0006",
    /// A comment starts in the middle of a word.
    COMMENT_IN_WORD = "Q0007",
    /// A substitution is malformed or unknown.
    BAD_SUBSTITUTION = "Q0008",
    /// An environment variable is not set.
    VARIABLE_NOT_SET = "Q0009",
    /// A word that the language does not have.
    UNKNOWN_WORD = "Q0010",
    /// A part of the language that Ostler does not have.
    NOT_SUPPORTED = "Q0011",
    /// Accepted, but without effect in Ostler.
    NO_MEANING = "Q0012",
    /// An option outside of the context that it belongs to.
    OUT_OF_CONTEXT = "Q0013",
    /// An option without its argument.
    MISSING_ARGUMENT = "Q0014",
    /// A text that is not the number that is asked for.
    BAD_NUMBER = "Q0015",
    /// An argument that does not have the form that is asked for.
    BAD_VALUE = "Q0016",
    /// A number outside of its range.
    OUT_OF_RANGE = "Q0017",
    /// An address or length that is not a multiple of 4 KiB.
    NOT_PAGES = "Q0018",
    /// A range that runs past the end of the address space.
    PAST_END = "Q0019",
    /// An option that stands before what it needs, or behind what must follow it.
    ORDER = "Q0020",
    /// An option that a later one overrides.
    OVERRIDDEN = "Q0021",
    /// An address whose radix a reader could mistake.
    RADIX = "Q0022",
    /// A name that cannot be one.
    WRONG_NAME = "Q0023",
    /// An argument that looks like the next option.
    ARGUMENT_IS_OPTION = "Q0024",
    /// A context that says nothing.
    EMPTY_CONTEXT = "Q0025",
    /// An interrupt of a controller that is not there.
    UNKNOWN_CONTROLLER = "Q0026",
    /// So many errors in a file that the rest of it is not read.
    TOO_MANY = "Q0027",
    /// A file that pulls itself in, by itself or through others.
    CYCLE = "Q0028",
    /// Files that are pulled in too deep, or too much of them.
    TOO_MUCH_TEXT = "Q0029",
    /// A memory region that the board does not name.
    UNKNOWN_REGION = "Q0030",
    /// A length whose radix a reader could mistake.
    LENGTH_RADIX = "Q0031",
    /// A length that looks like an address.
    LENGTH_OR_ADDRESS = "Q0032",

    /// The board does not exist, or not with so many CPUs, so much memory or this interrupt controller.
    BOARD = "Q0101",
    /// Two VMs have one name.
    DUPLICATE_VM = "Q0102",
    /// Two vdevs of a VM have one name.
    DUPLICATE_VDEV = "Q0103",
    /// A range ends beyond the guest-physical address space.
    BAD_RANGE = "Q0104",
    /// Two things claim one guest-physical address.
    OVERLAP = "Q0105",
    /// The VMs need more RAM than the board has.
    TOO_MUCH_MEMORY = "Q0106",
    /// A `runmask` names a pCPU that the board does not have.
    NO_SUCH_PCPU = "Q0107",
    // Q0108 and Q0109 were errors while every vCPU had to have a pCPU of its own.
    /// The virtual GIC cannot be of this version on this board.
    GIC_VERSION = "Q0110",
    /// A vdev lacks an option that it cannot do without.
    VDEV_OPTION = "Q0111",
    /// An interrupt line does not exist or is taken.
    INTERRUPT = "Q0112",
    /// A serial vdev leads nowhere.
    NO_HOSTDEV = "Q0113",
    /// A VM cannot be called by its file's name.
    UNNAMED = "Q0114",
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
    /// A VM has more vCPUs than its interrupt controller can serve.
    TOO_MANY_VCPUS = "Q0121",
    /// A pCPU would have more vCPUs than its scheduler can hold.
    PCPU_FULL = "Q0122",
    /// vCPUs of one VM share a pCPU.
    SIBLINGS = "Q0123",
    /// A VM that never waits keeps vCPUs of others from running.
    SHUT_OUT = "Q0124",
    /// Something lies where an old kernel cannot use it.
    OUT_OF_REACH = "Q0125",
    /// A VM has two of a vdev of which it can have one.
    ONLY_ONE = "Q0130",
    /// A setting about the end of VMs that changes nothing.
    IDLE_SETTING = "Q0131",
    /// Two settings of a VM contradict each other.
    CONTRADICTION = "Q0132",
    /// What is to be passed is not on the board.
    NOT_ON_BOARD = "Q0160",
    /// What is to be passed is Ostler's own, or reserved by the board.
    NOT_TO_PASS = "Q0161",
    /// Memory, a device or an interrupt of the board is passed twice.
    PASSED_TWICE = "Q0162",
    /// A device that does DMA is passed.
    PASSED_DMA = "Q0163",
    /// There is more on a passed page than was asked for.
    SHARED_PAGE = "Q0164",
    /// Attributes of a `pass` that cannot be had there.
    PASS_ATTRIBUTES = "Q0165",
    /// A node of the board's tree that a guest's cannot have.
    PASSED_NODE = "Q0166",
    /// An interrupt of the board that cannot be passed as asked for.
    PASSED_INTERRUPT = "Q0167",

    /// What was not checked, because the images were not looked at.
    NOT_CHECKED = "Q0140",
    /// A `system.toml` cannot be read as one.
    SYSTEM_FILE = "Q0141",
    /// A word or number in a `system.toml` that cannot be what it stands for.
    SYSTEM_VALUE = "Q0142",
    /// A part of a `system.toml` that nothing uses yet.
    SYSTEM_UNUSED = "Q0143",

    /// A user's device tree refers to a label or a vdev that is not there.
    TREE_LABEL = "Q0200",
    /// Numbers in a user's device tree cannot be written in the cells of the tree that they go into.
    TREE_CELLS = "Q0201",
    /// Phandles of a user's device tree contradict each other, or cannot be changed although they have to be.
    TREE_PHANDLE = "Q0202",
    /// A part of a user's device tree has no node to lie over, or several.
    TREE_TARGET = "Q0203",
    /// A user's device tree reserves memory that the VM does not have.
    TREE_RESERVED = "Q0204",
    /// A node of the device tree describes what the VM does not have.
    NODE_OF_NOTHING = "Q0205",
    /// A node of the device tree says of a vdev what is not so.
    NODE_DIFFERS = "Q0206",
    /// An interrupt in the device tree does not exist, or nothing in the VM raises it.
    NODE_INTERRUPT = "Q0207",
    /// Two nodes of the device tree describe one device.
    NODE_TWICE = "Q0208",
    /// `console=` or `earlycon=` names a UART that the guest does not have.
    NO_SUCH_UART = "Q0210",
    /// Memory begins or ends where it cannot be mapped in large pages.
    SMALL_PAGES = "Q0211",
    /// A kernel was built for pages that the board's CPUs do not have.
    KERNEL_PAGES = "Q0212",
    /// A RAM disk that looks like none.
    NO_RAM_DISK = "Q0213",
    /// `reserve intr` names a line that the guest's interrupt controller does not have.
    RESERVED_LINE = "Q0214",

    /// Two vdevs of an x86 VM claim one port.
    PORT_OVERLAP = "Q0300",
    /// Memory of an x86 VM lies where a PC has its devices.
    DEVICE_HOLE = "Q0301",
    /// An x86 VM has no RAM where Linux needs some.
    LOW_MEMORY = "Q0302",
    /// A command line is longer than the kernel takes.
    CMDLINE_TOO_LONG = "Q0303",
    /// A file that `acpi load` names is no table that a guest can be given.
    ACPI_TABLE = "Q0304",
    /// A place on the PCI bus that a vdev cannot have, or where guests do not find it.
    PCI_PLACE = "Q0305",
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

//! The flattened tree as a stream of nodes: no recursion, no allocation, every read checked.
//!
//! Format: Devicetree Specification v0.4, chapter 5. A node is handed out once its own properties have been read and
//! before its children (5.4.2: properties come first), together with what it inherits: how its parent writes addresses,
//! whether those are the CPU's addresses, and which interrupt controller its interrupts belong to.

use super::fault::{Fault, TreeError};

/// Nodes nested deeper than this are refused; real trees need 8.
const MAX_DEPTH: usize = 16;

/// The blocks of a tree whose header was checked.
#[derive(Clone, Copy)]
pub(super) struct Blob<'a> {
    pub(super) reservations: &'a [u8],
    structure: &'a [u8],
    strings: &'a [u8],
}

impl<'a> Blob<'a> {
    /// Checks the header (5.2) and cuts the blocks out.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, TreeError> {
        let total = super::total_bytes(bytes).ok_or(Fault::NotATree)?;
        let bytes = usize::try_from(total).ok().and_then(|total| bytes.get(..total)).ok_or(Fault::Truncated("tree"))?;
        let field = |index: usize| u32_at(bytes, index.wrapping_mul(4)).ok_or(Fault::Truncated("header"));
        let (version, compatible) = (field(5)?, field(6)?);
        if version < 17 || compatible > 17 {
            return Err(Fault::Version(version).into());
        }
        let block = |offset: u32, length: Option<u32>, name: &'static str| {
            let tail = bytes.get(usize::try_from(offset).ok()?..)?;
            let block = match length {
                Some(length) => tail.get(..usize::try_from(length).ok()?)?,
                None => tail,
            };
            // Tokens and reservations are read by words: their blocks are aligned, the strings' need not be.
            (offset.is_multiple_of(4) || name == "strings block").then_some(block)
        };
        let cut = |offset, length, name| block(offset, length, name).ok_or(Fault::Truncated(name));
        Ok(Blob {
            structure: cut(field(2)?, Some(field(9)?), "structure block")?,
            strings: cut(field(3)?, Some(field(8)?), "strings block")?,
            reservations: cut(field(4)?, None, "memory reservation block")?,
        })
    }

    /// The nodes from the root on.
    pub(super) fn nodes(&self) -> Nodes<'a> {
        Nodes { blob: *self, at: 0, depth: 0, buses: [Bus::default(); MAX_DEPTH], pending: None, ended: false }
    }
}

/// What a node means to its children.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bus {
    /// `#address-cells`
    pub(super) address_cells: u32,
    /// `#size-cells`
    pub(super) size_cells: u32,
    /// The children's addresses are the CPU's: every bus up to the root has an identity `ranges`.
    pub(super) identity: bool,
    /// phandle of the interrupt controller, inherited until overruled.
    pub(super) interrupt_parent: Option<u32>,
}

impl Default for Bus {
    /// 2.3.5: two cells of address and one of size unless a node says otherwise.
    fn default() -> Self {
        Bus { address_cells: 2, size_cells: 1, identity: true, interrupt_parent: None }
    }
}

/// A node, its properties read and its children not yet.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    /// With the unit address; empty for the root.
    pub(super) name: &'a [u8],
    /// 0 for the root.
    pub(super) depth: usize,
    /// What the parent says about this node's addresses.
    pub(super) parent: Bus,
    /// phandle of the interrupt controller that `interrupts` belongs to.
    pub(super) interrupt_parent: Option<u32>,
    pub(super) phandle: Option<u32>,
    compatible: &'a [u8],
    pub(super) device_type: &'a [u8],
    pub(super) reg: &'a [u8],
    ranges: Option<&'a [u8]>,
    address_cells: u32,
    size_cells: u32,
    first: usize,
    blob: Blob<'a>,
}

impl<'a> Node<'a> {
    /// Takes the properties that every node is asked for; others are looked up by [`Node::property`] in the few nodes
    /// that need them. This runs for every property of the tree: the first byte rules most of them out.
    fn take(&mut self, name: Name<'a>, value: &'a [u8]) -> Result<(), Fault> {
        let cell = |name| match value.len() {
            4 => u32_at(value, 0).ok_or(Fault::Malformed(name)),
            _ => Err(Fault::Malformed(name)),
        };
        match name.0.first() {
            Some(b'c') if name.is(b"compatible") => self.compatible = value,
            Some(b'r') if name.is(b"reg") => self.reg = value,
            Some(b'r') if name.is(b"ranges") => self.ranges = Some(value),
            Some(b'd') if name.is(b"device_type") => self.device_type = value.strip_suffix(b"\0").unwrap_or(value),
            Some(b'p') if name.is(b"phandle") => self.phandle = Some(cell("phandle")?),
            Some(b'i') if name.is(b"interrupt-parent") => self.interrupt_parent = Some(cell("interrupt-parent")?),
            Some(b'#') if name.is(b"#address-cells") => self.address_cells = cell("#address-cells")?,
            Some(b'#') if name.is(b"#size-cells") => self.size_cells = cell("#size-cells")?,
            _ => {}
        }
        Ok(())
    }

    /// The strings of `compatible`, from the special to the general (2.3.1).
    pub(super) fn compatible(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.compatible.split(|&byte| byte == 0)
    }

    /// `status`: absent, `okay` or `ok` (2.3.4).
    pub(super) fn is_enabled(&self) -> bool {
        matches!(self.property(b"status"), None | Some(b"okay\0" | b"ok\0"))
    }

    /// The value of a property of this node, by a walk over this node's properties.
    pub(super) fn property(&self, wanted: &[u8]) -> Option<&'a [u8]> {
        let mut at = self.first;
        loop {
            match self.blob.token(&mut at).ok()? {
                Token::Property { name, value } if name.is(wanted) => return Some(value),
                Token::Property { .. } | Token::Nop => {}
                _ => return None,
            }
        }
    }

    /// A property that is one cell.
    pub(super) fn cell(&self, wanted: &'static str) -> Result<Option<u32>, Fault> {
        match self.property(wanted.as_bytes()) {
            Some(value) if value.len() == 4 => Ok(u32_at(value, 0)),
            Some(_) => Err(Fault::Malformed(wanted)),
            None => Ok(None),
        }
    }

    /// What this node means to its children.
    fn bus(&self) -> Bus {
        Bus {
            address_cells: self.address_cells,
            size_cells: self.size_cells,
            identity: self.depth == 0 || self.parent.identity && self.has_identity_ranges(),
            interrupt_parent: self.interrupt_parent,
        }
    }

    /// `ranges` (2.3.8): empty, or every window at the same address on both sides. Without it nothing gets through,
    /// and what can't be read (PCI, with three cells, has its own rules) is as good as translated.
    fn has_identity_ranges(&self) -> bool {
        let Some(ranges) = self.ranges else { return false };
        let (child, parent) = (cells_bytes(self.address_cells), cells_bytes(self.parent.address_cells));
        let window = child.saturating_add(parent).saturating_add(cells_bytes(self.size_cells));
        let is_identity = |window: &[u8]| {
            let (inner, rest) = window.split_at_checked(child)?;
            let (outer, _) = rest.split_at_checked(parent)?;
            Some(number(inner)? == number(outer)?)
        };
        ranges.is_empty()
            || window != 0
                && ranges.len().is_multiple_of(window)
                && ranges.chunks_exact(window).all(|window| is_identity(window) == Some(true))
    }

    /// `reg` as (address, length) pairs, in the parent's cells.
    pub(super) fn reg(&self) -> Result<impl Iterator<Item = (u64, u64)> + use<'a>, Fault> {
        let malformed = Fault::Malformed("reg");
        let (address, size) = (cells_bytes(self.parent.address_cells), cells_bytes(self.parent.size_cells));
        if address == 0 || address > 8 || size > 8 {
            return Err(malformed);
        }
        let one = address.saturating_add(size);
        if !self.reg.len().is_multiple_of(one) {
            return Err(malformed);
        }
        Ok(self.reg.chunks_exact(one).filter_map(move |pair| {
            let (address, size) = pair.split_at_checked(address)?;
            Some((number(address)?, number(size)?))
        }))
    }
}

/// The stream of nodes.
pub(super) struct Nodes<'a> {
    blob: Blob<'a>,
    at: usize,
    /// Number of nodes that are open, the pending one not counted.
    depth: usize,
    /// What each open node means to its children.
    buses: [Bus; MAX_DEPTH],
    /// The node whose properties are being read.
    pending: Option<Node<'a>>,
    /// The root has been closed.
    ended: bool,
}

impl<'a> Nodes<'a> {
    /// The next node in the order of the tree; `None` after the last. Every token is checked on the way.
    pub(super) fn next(&mut self) -> Result<Option<Node<'a>>, TreeError> {
        loop {
            let mut at = self.at;
            let token = self.blob.token(&mut at).map_err(|fault| self.fault(fault))?;
            if matches!(token, Token::Begin(_) | Token::End)
                && let Some(node) = self.pending.take()
            {
                // The properties are complete. The token is left for the next call.
                self.open(&node).map_err(|fault| TreeError::new(fault, node.name))?;
                return Ok(Some(node));
            }
            self.at = at;
            match token {
                Token::Begin(name) => self.begin(name)?,
                Token::Property { name, value } => match &mut self.pending {
                    Some(node) => node.take(name, value).map_err(|fault| TreeError::new(fault, node.name))?,
                    None => return Err(Fault::LateProperty.into()),
                },
                Token::End => {
                    self.depth = self.depth.checked_sub(1).ok_or(Fault::Unbalanced)?;
                    self.ended = self.depth == 0;
                }
                Token::Nop => {}
                Token::Finish if self.ended => return Ok(None),
                Token::Finish => return Err(self.fault(Fault::Unbalanced)),
            }
        }
    }

    fn begin(&mut self, name: &'a [u8]) -> Result<(), TreeError> {
        if self.ended {
            return Err(TreeError::new(Fault::Unbalanced, name));
        }
        let parent = match self.depth.checked_sub(1) {
            Some(index) => *self.buses.get(index).ok_or(Fault::TooDeep)?,
            None => Bus::default(),
        };
        let Bus { address_cells, size_cells, .. } = Bus::default();
        self.pending = Some(Node {
            name,
            depth: self.depth,
            parent,
            interrupt_parent: parent.interrupt_parent,
            phandle: None,
            compatible: &[],
            device_type: &[],
            reg: &[],
            ranges: None,
            address_cells,
            size_cells,
            first: self.at,
            blob: self.blob,
        });
        Ok(())
    }

    fn open(&mut self, node: &Node<'a>) -> Result<(), Fault> {
        *self.buses.get_mut(self.depth).ok_or(Fault::TooDeep)? = node.bus();
        self.depth = self.depth.saturating_add(1);
        Ok(())
    }

    /// `fault`, near the node that is being read.
    fn fault(&self, fault: Fault) -> TreeError {
        TreeError::new(fault, self.pending.as_ref().map_or(&[], |node| node.name))
    }
}

/// One token of the structure block (5.4.1).
#[derive(Clone, Copy)]
enum Token<'a> {
    Begin(&'a [u8]),
    End,
    Property { name: Name<'a>, value: &'a [u8] },
    Nop,
    Finish,
}

/// A property's name: the strings block from there on. Its end is never searched for.
#[derive(Clone, Copy)]
struct Name<'a>(&'a [u8]);

impl Name<'_> {
    #[inline]
    fn is(self, wanted: &[u8]) -> bool {
        self.0.strip_prefix(wanted).is_some_and(|rest| rest.first() == Some(&0))
    }
}

impl<'a> Blob<'a> {
    /// The token at `at`, which moves past it.
    fn token(&self, at: &mut usize) -> Result<Token<'a>, Fault> {
        let truncated = Fault::Truncated("structure block");
        let tail = self.structure.get(*at..).ok_or(truncated)?;
        let (kind, tail) = tail.split_first_chunk().ok_or(truncated)?;
        let (token, length) = match u32::from_be_bytes(*kind) {
            1 => {
                let name = tail;
                let end = name.iter().position(|&byte| byte == 0).ok_or(truncated)?;
                (Token::Begin(name.get(..end).ok_or(truncated)?), end.saturating_add(5))
            }
            2 => (Token::End, 4),
            3 => {
                let (length, tail) = tail.split_first_chunk().ok_or(truncated)?;
                let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| truncated)?;
                let (name, tail) = tail.split_first_chunk().ok_or(Fault::PropertyName)?;
                let name = self.name(u32::from_be_bytes(*name)).ok_or(Fault::PropertyName)?;
                let value = tail.get(..length).ok_or(truncated)?;
                (Token::Property { name, value }, length.saturating_add(12))
            }
            4 => (Token::Nop, 4),
            9 => (Token::Finish, 4),
            other => return Err(Fault::Token(other)),
        };
        *at = at.saturating_add(length).checked_next_multiple_of(4).ok_or(truncated)?;
        Ok(token)
    }

    fn name(&self, offset: u32) -> Option<Name<'a>> {
        Some(Name(self.strings.get(usize::try_from(offset).ok()?..).filter(|name| !name.is_empty())?))
    }
}

/// The big-endian word at `offset`.
pub(super) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(offset..)?.first_chunk()?))
}

/// Bytes of this many cells.
fn cells_bytes(cells: u32) -> usize {
    usize::try_from(cells).unwrap_or(usize::MAX).saturating_mul(4)
}

/// A big-endian number of 0 to 8 bytes.
pub(super) fn number(bytes: &[u8]) -> Option<u64> {
    if bytes.len() > 8 {
        return None;
    }
    Some(bytes.iter().fold(0, |number, &byte| (number << 8) | u64::from(byte)))
}

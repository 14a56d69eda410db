//! Instructions for one batch, and how the registers are shared between the attacks in it.
//!
//! | register | |
//! |---|---|
//! | rbp, r12 | must not change |
//! | r13 | the stack pointer, which each attack ends with |
//! | r14 | counts the attacks that were passed |
//! | r15 | the end of this attack, where an exception's handler goes on |
//! | all others | free |
//!
//! An attack at CPL 3 may do anything to all of them: each is entered by itself, and any exception or interrupt ends it.

/// Attacks of one batch.
pub(crate) const ATTACKS: u64 = 64;
/// Bytes of one attack at most, with what begins and ends it.
const BYTES_OF_ATTACK: usize = 128;
const BYTES: usize = ATTACKS as usize * BYTES_OF_ATTACK + 16;

/// What ends an attack: `cli`, `cld`, `mov rsp, r13`, `inc r14`.
pub(crate) const END: [u8; 8] = [0xfa, 0xfc, 0x4c, 0x89, 0xec, 0x49, 0xff, 0xc6];

/// General registers by their numbers.
pub(crate) mod register {
    pub(crate) const RAX: u8 = 0;
    pub(crate) const RCX: u8 = 1;
    pub(crate) const RDX: u8 = 2;
    pub(crate) const RBX: u8 = 3;
    pub(crate) const RSI: u8 = 6;
    pub(crate) const RDI: u8 = 7;
    pub(crate) const R8: u8 = 8;
    pub(crate) const R9: u8 = 9;
}

/// Instructions.
#[derive(Debug)]
#[repr(C, align(4096))]
pub(crate) struct Code {
    bytes: [u8; BYTES],
    length: usize,
    attacks: u64,
    is_user: bool,
    /// Where attacks at CPL 3 begin, each of which is entered by itself.
    starts: [u16; ATTACKS as usize],
    /// Where the current attack's first instruction, `lea r15, [rip + …]`, ends.
    begun: Option<usize>,
}

impl Code {
    pub(crate) const fn new() -> Code {
        Code { bytes: [0; BYTES], length: 0, attacks: 0, is_user: false, starts: [0; ATTACKS as usize], begun: None }
    }

    /// Empties it. What follows is for CPL 3 or for CPL 0.
    pub(crate) fn begin(&mut self, is_user: bool) {
        (self.length, self.attacks, self.is_user, self.begun) = (0, 0, is_user, None);
    }

    /// Ends the batch: `ret`.
    pub(crate) fn finish(&mut self) {
        if !self.is_user {
            self.write(&[0xc3]);
        }
    }

    #[cfg(target_os = "none")]
    pub(crate) fn is_user(&self) -> bool {
        self.is_user
    }

    pub(crate) fn attacks(&self) -> u64 {
        self.attacks
    }

    pub(crate) fn words(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    fn write(&mut self, bytes: &[u8]) {
        self.bytes[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }

    /// These bytes, in this attack.
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        if self.begun.is_none() && !self.is_user {
            self.write(&[0x4c, 0x8d, 0x3d, 0, 0, 0, 0]);
            self.begun = Some(self.length);
        }
        self.write(bytes);
    }

    /// The attack is complete.
    pub(crate) fn end_attack(&mut self) {
        if let Some(begun) = self.begun.take() {
            let distance = (self.length - begun) as u32;
            self.bytes[begun - 4..begun].copy_from_slice(&distance.to_le_bytes());
            self.write(&END);
        }
        self.attacks += 1;
        if self.is_user {
            // `hlt`, which the CPU refuses at CPL 3, as often as a longest instruction has bytes.
            self.write(&[0xf4; 15]);
            if let Some(start) = self.starts.get_mut(self.attacks as usize) {
                *start = self.length as u16;
            }
        }
    }

    /// Where attacks at CPL 3 begin, from the first byte.
    #[cfg(target_os = "none")]
    pub(crate) fn starts(&self) -> impl Iterator<Item = u64> {
        self.starts.iter().take(self.attacks as usize).map(|&start| start.into())
    }

    /// `register` = `value`.
    pub(crate) fn constant(&mut self, register: u8, value: u64) {
        self.put(&[0x48 | register >> 3, 0xb8 | register & 7]);
        self.put(&value.to_le_bytes());
    }
}

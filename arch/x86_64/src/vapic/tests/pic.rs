//! The pair of 8259s (Intel 8259A datasheet), by themselves and at vCPU 0's LINT0.

use super::super::pic::Pic;
use super::*;
use proptest::prelude::*;

/// A pair as operating systems set it up: vectors 0x30 and 0x38, nothing masked.
fn pair() -> Pic {
    let mut pic = Pic::new();
    for (offset, value) in [(0, 0x11), (1, 0x30), (1, 4), (1, 1), (2, 0x11), (3, 0x38), (3, 2), (3, 1), (1, 0), (3, 0)]
    {
        pic.write(offset, value);
    }
    pic
}

fn pulse(pic: &mut Pic, line: u32) {
    pic.set_line(line, true);
    pic.set_line(line, false);
}

/// The next vector, if the output is high.
fn take(pic: &mut Pic) -> Option<u8> {
    pic.output().then(|| pic.acknowledge())
}

/// Nonspecific EOI, of the second if `vector` is its own.
fn end(pic: &mut Pic, vector: u8) {
    if vector >= 0x38 {
        pic.write(2, 0x20);
    }
    pic.write(0, 0x20);
}

#[test]
fn priorities_and_cascade() {
    let mut pic = pair();
    for line in [7, 3, 12, 8, 0] {
        pulse(&mut pic, line);
    }
    assert_eq!((pic.read(0), pic.read(2)), (0x8d, 0x11));
    // Nested: only what is more important.
    assert_eq!(take(&mut pic), Some(0x30));
    assert_eq!(take(&mut pic), None);
    end(&mut pic, 0x30);
    assert_eq!(take(&mut pic), Some(0x38));
    // The first has the second in service, so 12 waits; 3 does too; 1 does not.
    assert_eq!(take(&mut pic), None);
    pulse(&mut pic, 1);
    assert_eq!(take(&mut pic), Some(0x31));
    end(&mut pic, 0x31);
    end(&mut pic, 0x38);
    assert_eq!(take(&mut pic), Some(0x3c));
    end(&mut pic, 0x3c);
    assert_eq!(take(&mut pic), Some(0x33));
    end(&mut pic, 0x33);
    assert_eq!(take(&mut pic), Some(0x37));
    pic.write(0, 0x0b);
    assert_eq!(pic.read(0), 0x80);
    // A specific EOI.
    pic.write(0, 0x67);
    assert_eq!(pic.read(0), 0);
    // Line 2 is not for devices.
    pulse(&mut pic, 2);
    assert_eq!(take(&mut pic), None);
}

#[test]
fn spurious() {
    let mut pic = pair();
    assert_eq!(pic.acknowledge(), 0x37);
    pic.write(0, 0x0b);
    assert_eq!(pic.read(0), 0, "a spurious one is not in service");
    // Of the second: a level that went away is not even there, so nothing is left for the first.
    pic.write(5, 0x10);
    pic.set_line(12, true);
    assert!(pic.output());
    pic.set_line(12, false);
    assert_eq!(pic.acknowledge(), 0x37);
}

#[test]
fn levels() {
    let mut pic = pair();
    // Timer, keyboard, cascade, clock and coprocessor are never levels.
    pic.write(4, 0xff);
    pic.write(5, 0xff);
    assert_eq!((pic.read(4), pic.read(5)), (0xf8, 0xde));
    pic.set_line(5, true);
    assert_eq!(take(&mut pic), Some(0x35));
    assert_eq!(take(&mut pic), None);
    end(&mut pic, 0x35);
    assert_eq!(take(&mut pic), Some(0x35));
    pic.set_line(5, false);
    end(&mut pic, 0x35);
    assert_eq!(take(&mut pic), None);
    // An edge is one interrupt however long the line is high.
    pic.set_line(0, true);
    assert_eq!(take(&mut pic), Some(0x30));
    end(&mut pic, 0x30);
    assert_eq!(take(&mut pic), None);
}

#[test]
fn masks_and_special_mask() {
    let mut pic = pair();
    pic.write(1, 0x08);
    assert_eq!(pic.read(1), 0x08);
    pulse(&mut pic, 3);
    assert_eq!(take(&mut pic), None);
    pic.write(1, 0);
    assert_eq!(take(&mut pic), Some(0x33));
    pulse(&mut pic, 5);
    assert_eq!(take(&mut pic), None);
    // In special mask mode what is masked in service does not hold back the less important.
    pic.write(1, 0x08);
    pic.write(0, 0x68);
    assert_eq!(take(&mut pic), Some(0x35));
    // And a nonspecific EOI does not end it.
    end(&mut pic, 0x35);
    pic.write(0, 0x0b);
    assert_eq!(pic.read(0), 0x08);
    pic.write(0, 0x48);
    assert_eq!(take(&mut pic), None);
}

#[test]
fn rotation_and_automatic_end() {
    let mut pic = pair();
    // Rotate on nonspecific EOI: 3 becomes the least important.
    pulse(&mut pic, 3);
    assert_eq!(take(&mut pic), Some(0x33));
    pic.write(0, 0xa0);
    pulse(&mut pic, 3);
    pulse(&mut pic, 4);
    assert_eq!(take(&mut pic), Some(0x34));
    end(&mut pic, 0x34);
    assert_eq!(take(&mut pic), Some(0x33));
    end(&mut pic, 0x33);
    // Set priority: 6 is the least, so 7 the most.
    pic.write(0, 0xc6);
    pulse(&mut pic, 0);
    pulse(&mut pic, 7);
    assert_eq!(take(&mut pic), Some(0x37));
    // Specific EOI with rotation.
    pic.write(0, 0xe7);
    assert_eq!(take(&mut pic), Some(0x30));
    // ICW4: automatic EOI, and rotation with it.
    for (offset, value) in [(0, 0x11), (1, 0x30), (1, 4), (1, 3), (0, 0x80)] {
        pic.write(offset, value);
    }
    pulse(&mut pic, 0);
    pulse(&mut pic, 1);
    assert_eq!(take(&mut pic), Some(0x30));
    pulse(&mut pic, 0);
    assert_eq!(take(&mut pic), Some(0x31));
    assert_eq!(take(&mut pic), Some(0x30));
}

#[test]
fn polling() {
    let mut pic = pair();
    pulse(&mut pic, 6);
    pic.write(0, 0x0c);
    assert_eq!(pic.read(0), 0x86);
    // Once; and it is in service.
    assert_eq!((pic.read(0), pic.output()), (0, false));
    pic.write(0, 0x0c);
    assert_eq!(pic.read(0), 0);
    pic.write(0, 0x0b);
    assert_eq!(pic.read(0), 0x40);
}

#[test]
fn fully_nested_cascade() {
    let mut pic = pair();
    for (offset, value) in [(0, 0x11), (1, 0x30), (1, 4), (1, 0x11)] {
        pic.write(offset, value);
    }
    pulse(&mut pic, 12);
    assert_eq!(take(&mut pic), Some(0x3c));
    // A more important one of the second comes through.
    pulse(&mut pic, 9);
    assert_eq!(take(&mut pic), Some(0x39));
}

#[test]
fn at_lint0() {
    let mut world = World::new(2);
    for (offset, value) in [(0, 0x11), (1, 0x30), (1, 4), (1, 1), (1, 0)] {
        let _ = world.vapic.pic_write(offset, value);
    }
    assert_eq!(world.vapic.set_line(4, true), KickMask::of(0));
    assert_eq!((world.pending(0), world.pending(1)), (Some(Pending::External), None));
    // The task priority does not hold it back.
    world.set(0, TPR, 0xff);
    assert_eq!(world.take(0), Some(0x34));
    assert_eq!(world.take(0), None);
    assert_eq!(world.vapic.set_line(1, true), KickMask::of(0));
    // Masked at LINT0, where it is nobody's business, and unmasked while the output is high.
    world.set(0, LINT0, 0x1_0700);
    assert_eq!(world.take(0), None);
    assert!(world.apics[0].is_idle(&world.vapic));
    world.set(0, LINT0, 0x700);
    assert_eq!(world.take(0), Some(0x31));
    let _ = world.vapic.pic_write(0, 0x20);
    let _ = world.vapic.pic_write(0, 0x20);
    // As a vector of LINT0's own, by edges; Linux tries that.
    world.set(0, TPR, 0);
    world.set(0, LINT0, 0x66);
    let _ = world.vapic.set_line(4, false);
    assert_eq!(world.vapic.set_line(4, true), KickMask::of(0));
    assert_eq!(world.take(0), Some(0x66));
    assert_eq!(world.take(0), None);
    // An APIC that is off lets it through.
    world.wrmsr(0, super::super::APIC_BASE, 0xfee0_0000);
    assert_eq!(world.take(0), Some(0x34));
    assert_eq!(world.vapic.pic_read(1), (0, KickMask::NONE));
}

#[test]
fn without_a_pair() {
    let posted = [const { Posted::new() }];
    let vapic = Vapic::new(&posted, false, 40);
    assert_eq!(vapic.pic_read(0), (0xff, KickMask::NONE));
    assert_eq!(vapic.set_line(0, true), KickMask::NONE);
}

/// One that keeps inputs in a list, most important first, and has no cascade: the first alone.
#[derive(Debug)]
struct Reference {
    order: Vec<u8>,
    requested: Vec<u8>,
    served: Vec<u8>,
    masked: Vec<u8>,
}

impl Reference {
    fn next(&self) -> Option<u8> {
        let mut next = None;
        for input in &self.order {
            if self.served.contains(input) {
                break;
            }
            if self.requested.contains(input) && !self.masked.contains(input) {
                next = Some(*input);
                break;
            }
        }
        next
    }

    fn demote(&mut self, input: u8) {
        while self.order[7] != input {
            self.order.rotate_left(1);
        }
    }
}

proptest! {
    #[test]
    fn as_a_list_of_inputs(steps in prop::collection::vec((0..6, 0..8_u8, any::<u8>()), 1..60)) {
        let mut pic = pair();
        let mut reference =
            Reference { order: (0..8).collect(), requested: vec![], served: vec![], masked: vec![] };
        for (what, input, value) in steps {
            match what {
                0 if input != 2 => {
                    pulse(&mut pic, input.into());
                    reference.requested.push(input);
                }
                1 => {
                    let next = reference.next();
                    prop_assert_eq!(take(&mut pic), next.map(|input| 0x30 + input));
                    if let Some(next) = next {
                        reference.requested.retain(|&input| input != next);
                        reference.served.push(next);
                    }
                }
                2 | 3 => {
                    pic.write(0, if what == 2 { 0x20 } else { 0xa0 });
                    let ended = reference.order.iter().copied().find(|input| reference.served.contains(input));
                    if let Some(ended) = ended {
                        reference.served.retain(|&input| input != ended);
                        if what == 3 {
                            reference.demote(ended);
                        }
                    }
                }
                4 => {
                    pic.write(1, value);
                    reference.masked = (0..8).filter(|bit| value >> bit & 1 != 0).collect();
                }
                5 => {
                    pic.write(0, 0xc0 | input);
                    reference.demote(input);
                }
                _ => {}
            }
            prop_assert_eq!(pic.output(), reference.next().is_some(), "{:?}", reference);
        }
    }
}

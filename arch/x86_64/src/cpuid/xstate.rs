//! Extended state: x87, SSE and AVX, and how large it is when it is saved (APM volume 3, CPUID 0xd; SDM volume 1, 13.4).

use super::{BASIC, EXTENDED, Words, masks};

/// XCR0: x87. Always set.
pub const X87: u64 = 1 << 0;
/// XCR0: SSE.
pub const SSE: u64 = 1 << 1;
/// XCR0: AVX, which needs SSE.
pub const AVX: u64 = 1 << 2;

/// Bytes of an area without any extended component: legacy region and header.
pub const LEGACY_BYTES: u32 = 576;
/// Bytes that AVX adds; we have room for no more, right behind (SDM volume 1, 13.4.3).
const AVX_BYTES: u32 = 256;
/// Sub-leaf 1 EAX: XSAVEOPT, XSAVEC, XGETBV with ECX = 1. Not XSAVES, whose components have registers that nobody switches.
const FORMS: u32 = 0b111;
const XSAVEC: u32 = 0b010;

/// Whether a guest that may enable `allowed` may set XCR0 to `value` (SDM volume 1, 13.3).
pub const fn is_valid_xcr0(value: u64, allowed: u64) -> bool {
    value & X87 != 0 && value & !allowed == 0 && (value & AVX == 0 || value & SSE != 0)
}

/// Hides what cannot be switched: all of it without XSAVE, AVX if it lies elsewhere than we have room for. Leaf 0xd then has the
/// components that are allowed in EAX.
pub(super) fn allow(basic: &mut [Words; BASIC], extended: &mut [Words; EXTENDED], [forms, avx]: &mut [Words; 2]) {
    let [components, ..] = basic.get(0xd).copied().unwrap_or_default();
    let [size, offset, ..] = *avx;
    let Some([_, _, features, _]) = basic.get_mut(1) else { return };
    let has_xsave = *features & masks::XSAVE != 0;
    let has_avx = has_xsave
        && *features & masks::AVX != 0
        && u64::from(components) & AVX != 0
        && (size, offset) == (AVX_BYTES, LEGACY_BYTES);
    if !has_xsave {
        *forms = [0; 4];
    }
    if !has_avx {
        // AVX, FMA, F16C; in leaf 7 AVX2, VAES, VPCLMULQDQ.
        *features &= !(masks::AVX | 1 << 12 | 1 << 29);
        *avx = [0; 4];
        if let Some([_, ebx, ecx, _]) = basic.get_mut(7) {
            *ebx &= !(1 << 5);
            *ecx &= !(1 << 9 | 1 << 10);
        }
        if let Some([_, _, ecx, _]) = extended.get_mut(1) {
            *ecx &= !masks::AVX_OF_AMD;
        }
    }
    let allowed = match (has_xsave, has_avx) {
        (false, _) => 0,
        (true, false) => X87 | SSE,
        (true, true) => X87 | SSE | AVX,
    };
    if let Some(leaf_d) = basic.get_mut(0xd) {
        *leaf_d = [allowed as u32, 0, 0, 0];
    }
}

/// Bytes of an area with `components`.
const fn bytes(components: u64) -> u32 {
    if components & AVX != 0 { LEGACY_BYTES.wrapping_add(AVX_BYTES) } else { LEGACY_BYTES }
}

/// Leaf 0xd. With one extended component, the compacted form is as large as the other.
pub(super) const fn leaf(subleaf: u32, allowed: u32, forms: Words, avx: Words, xcr0: u64) -> Words {
    if allowed == 0 {
        return [0; 4];
    }
    match subleaf {
        0 => [allowed, bytes(xcr0), bytes(allowed as u64), 0],
        1 => {
            let [eax, ..] = forms;
            [eax & FORMS, if eax & XSAVEC != 0 { bytes(xcr0) } else { 0 }, 0, 0]
        }
        2 => {
            let [size, offset, ..] = avx;
            [size, offset, 0, 0]
        }
        _ => [0; 4],
    }
}

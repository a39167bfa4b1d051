//! Executables that say what they are for, and do nothing.

pub const X86_64: u16 = 62;
pub const ARM64: u16 = 183;
pub const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";

const HEADER: usize = 64;
const SEGMENT: usize = 56;
const SECTION: usize = 64;

/// What a handler's binary looks like from outside.
pub struct Elf<'a> {
    pub machine: u16,
    /// What starts it; none: it starts by itself.
    pub loader: Option<&'a str>,
    /// The versions of the C library's symbols that it wants.
    pub versions: &'a [&'a str],
    pub entry: u64,
}

impl Default for Elf<'_> {
    fn default() -> Self {
        Elf { machine: X86_64, loader: Some(LOADER), versions: &["GLIBC_2.2.5", "GLIBC_2.34", "GLIBC_2.4"], entry: 1 }
    }
}

impl Elf<'_> {
    /// Header, one segment for the loader's name, that name, strings, versions, sections.
    pub fn bytes(&self) -> Vec<u8> {
        let loader = self.loader.map(|name| format!("{name}\0")).unwrap_or_default();
        let segments = usize::from(self.loader.is_some());
        let mut strings = b"\0libc.so.6\0".to_vec();
        let mut needed = Vec::new();
        needed.extend([1, self.versions.len() as u16].into_iter().flat_map(u16::to_le_bytes));
        needed.extend([1_u32, 16, 0].into_iter().flat_map(u32::to_le_bytes));
        for (place, version) in self.versions.iter().enumerate() {
            let next = if place + 1 == self.versions.len() { 0 } else { 16 };
            needed.extend([0_u32, 0, strings.len() as u32, next].into_iter().flat_map(u32::to_le_bytes));
            strings.extend(version.bytes().chain([0]));
        }
        let loader_at = HEADER + segments * SEGMENT;
        let strings_at = loader_at + loader.len();
        let needed_at = strings_at + strings.len();
        let sections_at = needed_at + needed.len();
        let sections = if self.versions.is_empty() { 2 } else { 3 };

        let mut elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        elf.extend([3, self.machine].into_iter().flat_map(u16::to_le_bytes));
        elf.extend(1_u32.to_le_bytes());
        elf.extend([self.entry, HEADER as u64, sections_at as u64].into_iter().flat_map(u64::to_le_bytes));
        elf.extend(0_u32.to_le_bytes());
        let sizes = [HEADER as u16, SEGMENT as u16, segments as u16, SECTION as u16, sections, 1];
        elf.extend(sizes.into_iter().flat_map(u16::to_le_bytes));
        if self.loader.is_some() {
            let length = loader.len() as u64;
            elf.extend([3_u32, 4].into_iter().flat_map(u32::to_le_bytes));
            elf.extend([loader_at as u64, 0, 0, length, length, 1].into_iter().flat_map(u64::to_le_bytes));
        }
        elf.extend(loader.bytes());
        elf.extend(&strings);
        elf.extend(&needed);
        let mut section = |kind: u32, at: usize, length: usize, link: u32, info: u32| {
            elf.extend([0, kind].into_iter().flat_map(u32::to_le_bytes));
            elf.extend([0, 0, at as u64, length as u64].into_iter().flat_map(u64::to_le_bytes));
            elf.extend([link, info].into_iter().flat_map(u32::to_le_bytes));
            elf.extend([1_u64, 0].into_iter().flat_map(u64::to_le_bytes));
        };
        section(0, 0, 0, 0, 0);
        section(3, strings_at, strings.len(), 0, 0);
        if sections == 3 {
            section(0x6fff_fffe, needed_at, needed.len(), 1, 1);
        }
        elf
    }
}

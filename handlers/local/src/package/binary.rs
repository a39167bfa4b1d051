//! What a binary is for: which system and processor, and which C library it wants.

use std::{fmt, str::FromStr};

use object::{
    Endianness,
    elf::{self, FileHeader64},
    read::elf::{FileHeader, ProgramHeader},
};

type Header = FileHeader64<Endianness>;

/// A processor, by the name Lambda has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Architecture {
    #[value(name = "x86_64")]
    X86_64,
    #[value(name = "arm64")]
    Arm64,
}

impl Architecture {
    pub fn as_str(self) -> &'static str {
        match self {
            Architecture::X86_64 => "x86_64",
            Architecture::Arm64 => "arm64",
        }
    }

    fn machine(self) -> u16 {
        match self {
            Architecture::X86_64 => elf::EM_X86_64,
            Architecture::Arm64 => elf::EM_AARCH64,
        }
    }

    /// Where glibc has the program that starts others.
    fn loader(self) -> &'static str {
        match self {
            Architecture::X86_64 => "/lib64/ld-linux-x86-64.so.2",
            Architecture::Arm64 => "/lib/ld-linux-aarch64.so.1",
        }
    }
}

/// A version of the GNU C library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Glibc(u32, u32);

impl Glibc {
    /// That of Amazon Linux 2023, which `provided.al2023` is.
    pub const LAMBDA: Glibc = Glibc(2, 34);

    /// Reads a version that a binary wants, such as `GLIBC_2.34`; none where it says nothing of how new.
    fn wanted(version: &str) -> Option<Glibc> {
        match version.strip_prefix("GLIBC_")? {
            // Relative relocations, packed: such binaries start with no older one.
            "ABI_DT_RELR" => Some(Glibc(2, 36)),
            // What else a linker may count on came later: these are the newest there are.
            abi if abi.starts_with("ABI_") => Some(Glibc(2, 42)),
            version => version.parse().ok(),
        }
    }
}

impl fmt::Display for Glibc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl FromStr for Glibc {
    type Err = String;

    fn from_str(text: &str) -> Result<Glibc, String> {
        // Some symbols are of a patch release, such as 2.2.5.
        let mut parts = text.split('.').map(|part| part.parse().ok());
        match (parts.next().flatten(), parts.next().flatten()) {
            (Some(major), Some(minor)) => Ok(Glibc(major, minor)),
            _ => Err("a version of glibc is two numbers, such as 2.34".to_owned()),
        }
    }
}

/// Returns the C library a binary wants; none where it brings its own.
///
/// # Errors
/// What it is instead of an executable for Linux on that processor, or that it wants a newer library than there is.
pub fn wanted(bytes: &[u8], architecture: Architecture, there: Glibc) -> Result<Option<Glibc>, String> {
    let header = Header::parse(bytes).map_err(|_| "is no 64-bit ELF executable".to_owned())?;
    let endian = header.endian().map_err(broken)?;
    let machine = header.e_machine(endian);
    if machine != architecture.machine() {
        let is = [Architecture::X86_64, Architecture::Arm64].into_iter().find(|is| is.machine() == machine);
        let is = is.map_or("another processor", Architecture::as_str);
        return Err(format!("is for {is}, not for {}", architecture.as_str()));
    }
    let system = header.e_ident().os_abi;
    let starts = matches!(header.e_type(endian), elf::ET_EXEC | elf::ET_DYN) && header.e_entry(endian) != 0;
    if !starts || ![elf::ELFOSABI_NONE, elf::ELFOSABI_GNU].contains(&system) {
        return Err("is no executable for Linux".to_owned());
    }
    let Some(loader) = loader(header, endian, bytes)? else { return Ok(None) };
    if loader != architecture.loader().as_bytes() {
        return Err(format!("is started by {}, which is not there", String::from_utf8_lossy(loader)));
    }
    let versions = versions(header, endian, bytes).map_err(broken)?;
    let newest = versions.iter().filter_map(|version| Glibc::wanted(version)).max();
    let newest = newest.ok_or_else(|| "does not say which glibc it wants".to_owned())?;
    if newest > there {
        return Err(format!("wants glibc {newest}, and there it is {there}: link it against that, or an older one"));
    }
    Ok(Some(newest))
}

/// The program that starts a binary which brings no C library.
fn loader<'a>(header: &Header, endian: Endianness, bytes: &'a [u8]) -> Result<Option<&'a [u8]>, String> {
    for segment in header.program_headers(endian, bytes).map_err(broken)? {
        if let Some(loader) = segment.interpreter(endian, bytes).map_err(broken)? {
            return Ok(Some(loader));
        }
    }
    Ok(None)
}

/// The versions of other libraries' symbols that a binary wants.
fn versions(header: &Header, endian: Endianness, bytes: &[u8]) -> object::Result<Vec<String>> {
    let sections = header.sections(endian, bytes)?;
    let Some((mut needed, strings)) = sections.gnu_verneed(endian, bytes)? else { return Ok(Vec::new()) };
    let strings = sections.strings(endian, bytes, strings)?;
    let mut found = Vec::new();
    while let Some((_, mut versions)) = needed.next()? {
        while let Some(version) = versions.next()? {
            found.push(String::from_utf8_lossy(version.name(endian, strings)?).into_owned());
        }
    }
    Ok(found)
}

fn broken(error: object::Error) -> String {
    format!("is damaged: {error}")
}

//! The functions expressions may call: one allow-list. No I/O, no log, no clock, no randomness, so that a replay
//! decides as the first time did, on every platform.

use vrl::{compiler::Function, stdlib as f};

macro_rules! list {
    ($($function:ident)*) => { vec![$(Box::new(f::$function) as Box<dyn Function>),*] };
}

/// Makes the list of functions on offer.
pub(super) fn allowed() -> Vec<Box<dyn Function>> {
    list![
        // Numbers
        Abs Ceil Floor Round Mod FormatInt FormatNumber ToInt ToFloat ParseInt ParseFloat Haversine
        // Text
        Contains ContainsAll StartsWith EndsWith Downcase Upcase Camelcase Kebabcase Pascalcase Snakecase
        ScreamingSnakecase Replace Slice Split Join StripWhitespace Strlen Truncate Find Match MatchAny ParseRegex
        ParseRegexAll Redact ShannonEntropy ToRegex
        // Moments and durations
        FormatTimestamp ParseTimestamp FromUnixTimestamp ToUnixTimestamp ParseDuration
        // Types
        Array Boolean Float Integer Object String Timestamp ToBool ToString IsArray IsBoolean IsEmpty IsFloat IsInteger
        IsNull IsNullish IsObject IsRegex IsString IsTimestamp IsJson IsIpv4 IsIpv6 Exists
        // Objects and arrays
        Append Chunks Compact Del Filter Flatten ForEach FromEntries Get Includes Keys Length MapKeys MapValues
        MatchArray Merge ObjectFromArray Pop Push Range Remove Set Tally TallyValue ToEntries Unflatten Unique Values Zip
        // Formats
        DecodeBase16 DecodeBase64 DecodePercent EncodeBase16 EncodeBase64 EncodeCsv EncodeJson EncodeKeyValue
        EncodeLogfmt EncodePercent ParseBytes ParseCsv ParseJson ParseKeyValue ParseLogFmt ParseQueryString ParseUrl
        // Networks
        IpAton IpCidrContains IpNtoa IpSubnet IpToIpv6 Ipv6ToIpV4
        // Refusing an event
        Assert AssertEq
    ]
}

//! The functions expressions may call: one allow-list. No I/O, no log, no clock, no randomness, so that a replay
//! decides as the first time did, on every platform. Left out, too, is what a value can make run for minutes or use up
//! the stack: `format_number`, `set`, `unflatten`.

use vrl::{
    compiler::{
        Function, TypeState,
        function::{ArgumentList, Compiled, Error, Example, FunctionCompileContext, Parameter},
    },
    stdlib as f,
    value::Value,
};

macro_rules! list {
    ($($function:ident)*) => { vec![$(Box::new(f::$function) as Box<dyn Function>),*] };
}

/// Makes the list of functions on offer.
pub(super) fn allowed() -> Vec<Box<dyn Function>> {
    let mut functions = list![
        // Numbers
        Abs Ceil Floor Round Mod FormatInt ToInt ToFloat ParseInt ParseFloat Haversine
        // Text
        Contains ContainsAll StartsWith EndsWith Downcase Upcase Camelcase Kebabcase Pascalcase Snakecase
        ScreamingSnakecase Replace Slice Split Join StripWhitespace Strlen Truncate Find Match MatchAny ParseRegex
        ParseRegexAll Redact ShannonEntropy ToRegex
        // Moments and durations
        FromUnixTimestamp ToUnixTimestamp ParseDuration
        // Types
        Array Boolean Float Integer Object String Timestamp ToBool ToString IsArray IsBoolean IsEmpty IsFloat IsInteger
        IsNull IsNullish IsObject IsRegex IsString IsTimestamp IsJson IsIpv4 IsIpv6 Exists
        // Objects and arrays
        Append Chunks Compact Del Filter Flatten ForEach FromEntries Get Includes Keys Length MapKeys MapValues
        MatchArray Merge ObjectFromArray Pop Push Range Remove Tally TallyValue ToEntries Unique Values Zip
        // Formats
        DecodeBase16 DecodeBase64 DecodePercent EncodeBase16 EncodeBase64 EncodeCsv EncodeJson EncodeKeyValue
        EncodeLogfmt EncodePercent ParseBytes ParseCsv ParseJson ParseKeyValue ParseLogFmt ParseQueryString ParseUrl
        // Networks
        IpAton IpCidrContains IpNtoa IpSubnet IpToIpv6 Ipv6ToIpV4
        // Refusing an event
        Assert AssertEq
    ];
    functions.push(Box::new(InNamedZone(f::FormatTimestamp)));
    functions.push(Box::new(InNamedZone(f::ParseTimestamp)));
    functions
}

/// A function with a `timezone`, which must be written out and not be the machine's own: a replay on another machine
/// would decide differently.
#[derive(Debug)]
struct InNamedZone<F>(F);

impl<F: Function> Function for InNamedZone<F> {
    fn identifier(&self) -> &'static str {
        self.0.identifier()
    }

    fn usage(&self) -> &'static str {
        self.0.usage()
    }

    fn category(&self) -> &'static str {
        self.0.category()
    }

    fn return_kind(&self) -> u16 {
        self.0.return_kind()
    }

    fn examples(&self) -> &'static [Example] {
        self.0.examples()
    }

    fn parameters(&self) -> &'static [Parameter] {
        self.0.parameters()
    }

    fn compile(&self, state: &TypeState, ctx: &mut FunctionCompileContext, arguments: ArgumentList) -> Compiled {
        if let Some(zone) = arguments.optional_literal("timezone", state)?
            && matches!(zone.to_str(), Some("local" | ""))
        {
            let error = "the machine's own time zone differs from place to place: name one, such as Europe/Berlin";
            return Err(Box::new(Error::InvalidArgument { keyword: "timezone", value: Value::Null, error }));
        }
        self.0.compile(state, ctx, arguments)
    }
}

//! Media types of GraphQL over HTTP: what a client sends and what it accepts.
//!
//! Invariant: only `application/json` in UTF-8 is read. Anything a form could send is refused, so
//! that no foreign page can make a browser send an operation without asking first.

use axum::http::{HeaderMap, HeaderValue, header};

/// The media types the service answers in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/graphql-response+json`: the status tells how the request fared.
    GraphqlResponse,
    /// `application/json`: 200 for every well-formed request, for older clients.
    Json,
}

impl Media {
    /// The Content-Type header of a response.
    pub const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        })
    }

    fn subtype(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "graphql-response+json",
            Self::Json => "json",
        }
    }
}

/// The media type the client likes best, or `None` if it takes neither.
///
/// Without an Accept header, or by a wildcard alone, that is `application/json` (GraphQL over
/// HTTP, section 6.1); named with equal weight, `application/graphql-response+json`.
pub(super) fn negotiate(headers: &HeaderMap) -> Option<Media> {
    let mut ranges = Vec::new();
    for value in headers.get_all(header::ACCEPT) {
        ranges.extend(value.to_str().ok()?.split(',').filter_map(Range::parse));
    }
    if ranges.is_empty() && !headers.contains_key(header::ACCEPT) {
        return Some(Media::Json);
    }
    // The later of equals wins.
    [Media::Json, Media::GraphqlResponse]
        .into_iter()
        .filter_map(|media| Some((media, preference(&ranges, media)?)))
        .max_by_key(|(media, (weight, specificity))| {
            let wildcard_default = *specificity < 2 && *media == Media::Json;
            (*weight, *specificity, wildcard_default)
        })
        .map(|(media, _)| media)
}

/// Whether the client names `text/event-stream` among what it takes; a wildcard does not ask for it.
pub(super) fn accepts_events(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(Range::parse)
        .any(|range| {
            range.kind.eq_ignore_ascii_case("text")
                && range.subtype.eq_ignore_ascii_case("event-stream")
                && range.weight > 0
        })
}

/// Weight and specificity of the most specific range that covers `media`; none if refused.
fn preference(ranges: &[Range<'_>], media: Media) -> Option<(u16, u8)> {
    ranges
        .iter()
        .filter_map(|range| Some((range.specificity(media)?, range.weight)))
        .max()
        .filter(|(_, weight)| *weight > 0)
        .map(|(specificity, weight)| (weight, specificity))
}

struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    utf8: bool,
    /// Thousandths.
    weight: u16,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let mut range = Self { kind, subtype, utf8: true, weight: 1000 };
        for (name, value) in parts.filter_map(|parameter| parameter.split_once('=')) {
            match name.trim().to_ascii_lowercase().as_str() {
                "charset" => range.utf8 = is_utf8(value),
                "q" => range.weight = weight(value)?,
                _ => {}
            }
        }
        Some(range)
    }

    fn specificity(&self, media: Media) -> Option<u8> {
        if !self.utf8 {
            None
        } else if self.kind == "*" && self.subtype == "*" {
            Some(0)
        } else if !self.kind.eq_ignore_ascii_case("application") {
            None
        } else if self.subtype == "*" {
            Some(1)
        } else {
            self.subtype.eq_ignore_ascii_case(media.subtype()).then_some(2)
        }
    }
}

/// A quality value in thousandths (RFC 9110, section 12.4.2).
fn weight(text: &str) -> Option<u16> {
    let value: f32 = text.trim().parse().ok()?;
    (0.0..=1.0).contains(&value).then_some((value * 1000.0).round() as u16)
}

fn is_utf8(charset: &str) -> bool {
    let charset = charset.trim().trim_matches('"');
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

/// Whether the request body is JSON in UTF-8 and not compressed.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let plain = headers
        .get(header::CONTENT_ENCODING)
        .is_none_or(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
    let Some(Ok(value)) = headers.get(header::CONTENT_TYPE).map(HeaderValue::to_str) else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    plain
        && parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
        && parts
            .filter_map(|parameter| parameter.split_once('='))
            .filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
            .all(|(_, charset)| is_utf8(charset))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        let value = HeaderValue::from_str(value).expect("a header of this test");
        HeaderMap::from_iter([(name, value)])
    }

    #[test]
    fn the_clients_preference_decides() {
        use Media::{GraphqlResponse, Json};
        let cases = [
            ("application/graphql-response+json", Some(GraphqlResponse)),
            ("application/json", Some(Json)),
            ("application/json; charset=utf-8", Some(Json)),
            ("application/json; charset=utf-16", None),
            ("*/*", Some(Json)),
            ("application/*", Some(Json)),
            ("application/graphql-response+json, application/json;q=0.9", Some(GraphqlResponse)),
            ("application/json;q=0.9, application/graphql-response+json;q=0.5", Some(Json)),
            ("application/json, application/graphql-response+json", Some(GraphqlResponse)),
            ("application/graphql-response+json, */*", Some(GraphqlResponse)),
            ("application/json, */*;q=0.1", Some(Json)),
            ("application/json;q=0, */*", Some(GraphqlResponse)),
            ("Application/JSON", Some(Json)),
            ("text/event-stream", None),
            ("text/html, application/xhtml+xml", None),
            ("application/json;q=0", None),
            ("", None),
        ];
        for (accept, expected) in cases {
            assert_eq!(negotiate(&headers(header::ACCEPT, accept)), expected, "{accept}");
        }
        assert_eq!(negotiate(&HeaderMap::new()), Some(Json));
    }

    #[test]
    fn only_json_in_utf8_is_read() {
        let cases = [
            ("application/json", true),
            ("application/json; charset=utf-8", true),
            ("application/json;charset=\"UTF-8\"", true),
            ("application/json; charset=latin1", false),
            ("application/graphql", false),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
            ("multipart/form-data; boundary=x", false),
        ];
        for (content_type, expected) in cases {
            assert_eq!(
                is_json(&headers(header::CONTENT_TYPE, content_type)),
                expected,
                "{content_type}"
            );
        }
        assert!(!is_json(&HeaderMap::new()));
    }

    #[test]
    fn compressed_bodies_are_not_read() {
        let mut headers = headers(header::CONTENT_TYPE, "application/json");
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert!(!is_json(&headers));
    }
}

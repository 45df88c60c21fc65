//! The pages that mailed links lead to. They show the token and the operation that takes it.
//!
//! Invariant: opening a page changes nothing, so a mail scanner that follows links uses none up; no
//! script runs and no other site learns the address.

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use rollcall_commands::links::LinkPurpose;

/// `GET /<purpose>/<token>` for every purpose.
pub fn router() -> Router {
    LinkPurpose::ALL.into_iter().fold(Router::new(), |router, purpose| {
        let path = format!("/{}/{{token}}", purpose.as_str());
        router.route(
            &path,
            get(move |Path(token): Path<String>| async move { page(purpose, &token) }),
        )
    })
}

fn page(purpose: LinkPurpose, token: &str) -> Response {
    // A token is base64url and needs no escaping; anything else is no token.
    let is_token = (16..=200).contains(&token.len())
        && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !is_token {
        return (
            StatusCode::NOT_FOUND,
            headers(),
            Html(html("No such link", &["Copy the whole link from your message."])),
        )
            .into_response();
    }
    let (title, lines) = words(purpose, token);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    (headers(), Html(html(title, &lines))).into_response()
}

fn words(purpose: LinkPurpose, token: &str) -> (&'static str, [String; 3]) {
    let token_line = format!("Your token: <code>{token}</code>");
    let (title, what, operation) = match purpose {
        LinkPurpose::Invitation => (
            "Accept your invitation",
            "The invitation waits; opening this page has not used it up.",
            "query { invitation(token: \"…\") { … } }, then the mutations acceptAgreement, submitInviteeDetails, requestOtp, verifyOtp",
        ),
        LinkPurpose::SetPassword => (
            "Set your password",
            "The link works once, when a password is set with it.",
            "mutation { setPassword(input: { token: \"…\", … }) { userErrors { code message } } }",
        ),
        LinkPurpose::ResetPassword => (
            "Reset your password",
            "The link works once, when a new password is set with it.",
            "mutation { resetPassword(input: { token: \"…\", … }) { userErrors { code message } } }",
        ),
        LinkPurpose::VerifyEmail => (
            "Verify your email address",
            "The link works once, when the address is verified with it.",
            "mutation { verifyEmail(input: { token: \"…\" }) { userErrors { code message } } }",
        ),
        LinkPurpose::Registration => (
            "Register your organization",
            "The token works once, when a registration is completed with it.",
            "mutation { startOrganizationRegistration(input: { token: \"…\", email: \"…\" }) { userErrors { code message } } }",
        ),
        LinkPurpose::FirstOperator => (
            "Become the first operator",
            "The link works once.",
            "mutation { registerFirstOperator(input: { token: \"…\", … }) { userErrors { code message } } }",
        ),
    };
    (title, [what.to_owned(), token_line, format!("GraphQL: <code>{operation}</code>")])
}

/// `lines` are trusted HTML.
fn html(title: &str, lines: &[&str]) -> String {
    let paragraphs: String = lines.iter().map(|line| format!("<p>{line}</p>\n")).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n{paragraphs}</body>\n</html>\n"
    )
}

fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CACHE_CONTROL, "no-store");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    headers
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    async fn text(response: Response) -> String {
        let bytes = to_bytes(response.into_body(), 100_000).await.expect("a small page");
        String::from_utf8(bytes.to_vec()).expect("UTF-8")
    }

    #[tokio::test]
    async fn a_page_shows_the_token_and_lets_nothing_run_or_leak() {
        let token = "A".repeat(43);
        for purpose in LinkPurpose::ALL {
            let response = page(purpose, &token);
            let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str();
            assert!(policy.expect("text").starts_with("default-src 'none'"));
            assert_eq!(response.headers()[header::REFERRER_POLICY], "no-referrer");
            let text = text(response).await;
            assert!(text.contains(&token) && !text.contains("<script"), "{text}");
        }
    }

    #[tokio::test]
    async fn what_is_no_token_is_not_repeated() {
        let response = page(LinkPurpose::Invitation, "<b>AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA</b>");
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert!(!text(response).await.contains("<b>"));
    }
}

//! `setClientGuidance`. Invariant: what is set here anybody may read.

use async_graphql::{Context, InputObject, Object, Result};
use rollcall_commands::{Access, content::SetClientGuidance};
use rollcall_domain::{
    Code, Refusal,
    content::{Guidance, ScreenSize},
    values::ContentLine,
};
use rollcall_projections::tenancy;

use crate::graphql::{
    errors::fault,
    reading::read,
    sending::{MutationMeta, payload, send},
    tenants::ClientGuidance,
    vocabulary::field,
};

/// The smallest screen the portal is made for, in pixels.
#[derive(Debug, InputObject)]
pub struct ScreenSizeInput {
    width: i32,
    height: i32,
}

/// Hints for people whose client gives them trouble; they replace those set before.
#[derive(Debug, InputObject)]
pub struct SetClientGuidanceInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    screen: Option<ScreenSizeInput>,
    /// In the order shown, up to twenty of 300 characters each.
    hints: Vec<String>,
}

impl SetClientGuidanceInput {
    fn command(&self) -> Result<SetClientGuidance, Refusal> {
        let hints = self
            .hints
            .iter()
            .enumerate()
            .map(|(at, hint)| field(&format!("hints.{at}"), ContentLine::parse(hint)));
        let guidance = Guidance {
            screen: self.screen.as_ref().map(screen).transpose()?,
            hints: hints.collect::<Result<_, _>>()?,
        };
        Ok(SetClientGuidance { guidance })
    }
}

fn screen(input: &ScreenSizeInput) -> Result<ScreenSize, Refusal> {
    let (Ok(width), Ok(height)) = (u32::try_from(input.width), u32::try_from(input.height)) else {
        let message = "Give a screen of 200 to 10000 pixels each way.";
        return Err(Refusal::new(Code::RangeInvalid, message).at("screen"));
    };
    Ok(ScreenSize { width, height })
}

payload! {
    /// What became of the guidance.
    SetClientGuidancePayload {
        /// The guidance as it stands now.
        client_guidance: ClientGuidance,
    }
}

/// Commands on content.
#[derive(Default)]
pub struct ContentMutation;

#[Object]
impl ContentMutation {
    /// Sets what the portal says about browsers and screens (CX-01), for content editors and plan
    /// administrators. Refusals: FORBIDDEN, FIELD_REQUIRED, RANGE_INVALID.
    async fn set_client_guidance(
        &self,
        ctx: &Context<'_>,
        input: SetClientGuidanceInput,
    ) -> Result<SetClientGuidancePayload> {
        let command = input.command();
        let sent = send(ctx, input.meta, command).await?;
        if sent.output.is_none() || !ctx.look_ahead().field("clientGuidance").exists() {
            return Ok(SetClientGuidancePayload::of(sent, None));
        }
        let mut reading = read(ctx, Access::Public, sent.position).await?;
        let guidance = tenancy::client_guidance(&mut reading.view).await;
        let guidance = guidance.map_err(|error| fault(&error))?;
        Ok(SetClientGuidancePayload::of(sent, guidance.map(ClientGuidance::from)))
    }
}

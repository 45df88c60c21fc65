-- Which campaigns a template opened: `reviewCampaigns(reviewTemplateId:)` (GN-15).
ALTER TABLE read.review_campaigns
  ADD COLUMN template_id uuid,
  -- The date of its recurrence; absent where somebody opened it by hand.
  ADD COLUMN due_on date;
CREATE INDEX review_campaigns_template_id_idx
  ON read.review_campaigns (tenant_id, template_id, opened_position DESC) WHERE template_id IS NOT NULL;

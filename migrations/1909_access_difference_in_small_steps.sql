-- The function of 1908, word for word but for how many people are looked at together. Some of its joins
-- grow with the square of a step: 500 people took longer than eight times 64 (measured at 250,000
-- intervals: counting 82,000 differences took 30 s instead of minutes). Serves `accessDifference` (GN-14).
DO $$
DECLARE
  was CONSTANT text := pg_get_functiondef('ops.access_difference'::regproc);
  becomes CONSTANT text := replace(was, 'step := least(500, 2 * step);', 'step := least(64, 2 * step);');
BEGIN
  IF was = becomes THEN
    RAISE EXCEPTION 'ops.access_difference is not as 1908 made it';
  END IF;
  EXECUTE becomes;
END
$$;

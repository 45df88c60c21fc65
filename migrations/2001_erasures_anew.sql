-- The projection `erasures` shared its name, and so its checkpoint, with a process, and each missed
-- what the other took in. The process has a name of its own now; the rows are folded anew.
DELETE FROM ops.checkpoints WHERE name = 'erasures';
TRUNCATE read.erasures;

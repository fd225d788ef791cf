-- What KEDA may see: which jobs wait, never what is in them. Give it a password afterwards: \password webapi_scaler
CREATE ROLE webapi_scaler LOGIN CONNECTION LIMIT 5;
ALTER ROLE webapi_scaler SET statement_timeout = '5s';
ALTER ROLE webapi_scaler SET default_transaction_read_only = on;
ALTER ROLE webapi_scaler SET jit = off;
GRANT SELECT (kind, queue, state, turn, run_at, deadline_at, cancel_requested_at) ON jobs TO webapi_scaler;
GRANT SELECT (kind, paused_at) ON gates TO webapi_scaler;

-- The fleet is looked at contract by contract.
CREATE INDEX token_of_contract ON token (contract_id);
CREATE INDEX agent_of_contract ON agent (contract_id);
CREATE INDEX unit_of_contract ON unit (contract_id);

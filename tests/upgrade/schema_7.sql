BEGIN TRANSACTION;
CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    run INTEGER NOT NULL,
    row INTEGER NOT NULL,
    campaign TEXT NOT NULL,
    contact TEXT NOT NULL,
    entry TEXT NOT NULL
);
INSERT INTO "audit" VALUES(1,1795435200000,1,1,'C1','P1','{"schema":1,"kind":"settled","timestamp":"2026-11-23T12:00:00.000Z","run_id":"run-1","row_id":1,"source":"run-1.csv","source_sha256":"abababababababababababababababababababababababababababababababab","line":2,"campaign_id":"C1","contact_id":"P1","outcome_code":"SALE","category":"positive","agent_id":"A1","disposition_timestamp":"2026-11-23T12:00:00.000Z","event_id":null,"opt_out_received_at":null,"status":"applied","reason":"written","message":"","attempt":1,"deferrals":0,"deferred_since":null,"before":null,"after":{"outcome_code":"SALE","agent_id":"A1","disposition_timestamp":"2026-11-23T12:00:00.000Z"},"latency_ms":30.0,"read_ms":10.0,"write_ms":20.0,"wait_ms":95.0,"read_to_write_ms":null,"conditional":false,"http_status":204,"request_id":"r-1","call_record":null,"commitments":{}}');
INSERT INTO "audit" VALUES(2,1795435200000,1,2,'C1','P2','{"schema":1,"kind":"settled","timestamp":"2026-11-23T12:00:00.000Z","run_id":"run-1","row_id":2,"source":"run-1.csv","source_sha256":"abababababababababababababababababababababababababababababababab","line":2,"campaign_id":"C1","contact_id":"P2","outcome_code":"SALE","category":"positive","agent_id":"A1","disposition_timestamp":"2026-11-23T12:00:00.000Z","event_id":null,"opt_out_received_at":null,"status":"unchanged","reason":"same_in_tenant","message":"","attempt":1,"deferrals":0,"deferred_since":null,"before":null,"after":null,"latency_ms":30.0,"read_ms":10.0,"write_ms":20.0,"wait_ms":95.0,"read_to_write_ms":null,"conditional":false,"http_status":204,"request_id":"r-1","call_record":null,"commitments":{}}');
INSERT INTO "audit" VALUES(3,1795435200000,1,3,'C1','P3','{"schema":1,"kind":"settled","timestamp":"2026-11-23T12:00:00.000Z","run_id":"run-1","row_id":3,"source":"run-1.csv","source_sha256":"abababababababababababababababababababababababababababababababab","line":2,"campaign_id":"C1","contact_id":"P3","outcome_code":"SALE","category":"positive","agent_id":"A1","disposition_timestamp":"2026-11-23T12:00:00.000Z","event_id":null,"opt_out_received_at":null,"status":"rejected","reason":"refused_409","message":"The contact is closed.","attempt":1,"deferrals":0,"deferred_since":null,"before":null,"after":null,"latency_ms":30.0,"read_ms":10.0,"write_ms":20.0,"wait_ms":95.0,"read_to_write_ms":null,"conditional":false,"http_status":204,"request_id":"r-1","call_record":null,"commitments":{}}');
INSERT INTO "audit" VALUES(4,1795435200000,1,4,'C1','P4','{"schema":1,"kind":"settled","timestamp":"2026-11-23T12:00:00.000Z","run_id":"run-1","row_id":4,"source":"run-1.csv","source_sha256":"abababababababababababababababababababababababababababababababab","line":2,"campaign_id":"C1","contact_id":"P4","outcome_code":"SALE","category":"positive","agent_id":"A1","disposition_timestamp":"2026-11-23T12:00:00.000Z","event_id":null,"opt_out_received_at":null,"status":"missing","reason":"no_such_contact","message":"","attempt":1,"deferrals":0,"deferred_since":null,"before":null,"after":null,"latency_ms":30.0,"read_ms":10.0,"write_ms":20.0,"wait_ms":95.0,"read_to_write_ms":null,"conditional":false,"http_status":204,"request_id":"r-1","call_record":null,"commitments":{}}');
INSERT INTO "audit" VALUES(5,1795435200000,1,5,'C1','P5','{"schema":1,"kind":"in_doubt","timestamp":"2026-11-23T12:00:00.000Z","run_id":"run-1","row_id":5,"source":"run-1.csv","source_sha256":"abababababababababababababababababababababababababababababababab","line":2,"campaign_id":"C1","contact_id":"P5","outcome_code":"SALE","category":"positive","agent_id":"A1","disposition_timestamp":"2026-11-23T12:00:00.000Z","event_id":null,"opt_out_received_at":null,"status":"doubtful","reason":"timeout","message":"no answer in time","attempt":1,"deferrals":0,"deferred_since":null,"before":null,"after":null,"latency_ms":30.0,"read_ms":10.0,"write_ms":20.0,"wait_ms":95.0,"read_to_write_ms":null,"conditional":false,"http_status":204,"request_id":"r-1","call_record":null,"commitments":{}}');
INSERT INTO "audit" VALUES(6,1795435200000,1,8,'C1','P1','{"schema":1,"kind":"settled","timestamp":"2026-11-23T12:00:00.000Z","run_id":"run-1","row_id":8,"source":"run-1.csv","source_sha256":"abababababababababababababababababababababababababababababababab","line":9,"campaign_id":"C1","contact_id":"P1","outcome_code":"SALE","category":"positive","agent_id":"A1","disposition_timestamp":"2026-11-23T12:00:00.000Z","event_id":null,"opt_out_received_at":null,"status":"duplicate","reason":"same_disposition","message":"The same disposition is in the journal already.","attempt":0,"deferrals":0,"deferred_since":null,"before":null,"after":null,"latency_ms":null,"read_ms":null,"write_ms":null,"wait_ms":0.0,"read_to_write_ms":null,"conditional":false,"http_status":null,"request_id":null,"call_record":null,"commitments":{}}');
INSERT INTO "audit" VALUES(7,1795435200000,1,9,'','','{"schema":1,"kind":"settled","timestamp":"2026-11-23T12:00:00.000Z","run_id":"run-1","row_id":9,"source":"run-1.csv","source_sha256":"abababababababababababababababababababababababababababababababab","line":10,"campaign_id":"","contact_id":"","outcome_code":"","category":"","agent_id":"","disposition_timestamp":null,"event_id":null,"opt_out_received_at":null,"status":"invalid","reason":"missing_value","message":"The agent is empty. The outcome is no code.","attempt":0,"deferrals":0,"deferred_since":null,"before":null,"after":null,"latency_ms":null,"read_ms":null,"write_ms":null,"wait_ms":0.0,"read_to_write_ms":null,"conditional":false,"http_status":null,"request_id":null,"call_record":null,"commitments":{}}');
CREATE TABLE audit_checkpoint (
    number INTEGER PRIMARY KEY,
    size INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    note TEXT NOT NULL
);
CREATE TABLE audit_clock (latest_ms INTEGER NOT NULL);
INSERT INTO "audit_clock" VALUES(1795435200000);
CREATE TABLE audit_tile (
    level INTEGER NOT NULL,
    place INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (level, place)
);
CREATE TABLE campaign (
    id TEXT PRIMARY KEY,
    tat_us INTEGER NOT NULL DEFAULT 0,
    paused_until_us INTEGER NOT NULL DEFAULT 0,
    epoch INTEGER NOT NULL DEFAULT 0,
    turn INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
INSERT INTO "campaign" VALUES('C1',0,0,8,8);
CREATE TABLE crm_endpoint (
    name TEXT PRIMARY KEY,
    disabled_ms INTEGER,
    words TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE TABLE delivery (
    event INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    latency_ms REAL NOT NULL,
    status INTEGER,
    words TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (event, attempt)
) WITHOUT ROWID;
CREATE TABLE "follow_up" (
    number INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (number),
    row INTEGER NOT NULL REFERENCES row (id),
    campaign TEXT NOT NULL,
    contact TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('dnc_group', 'tags', 'callback')),
    target TEXT NOT NULL,
    -- Ids of the contact that the tenant told, as JSON.
    told TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN (
        'waiting', 'sending', 'done', 'refused', 'failed', 'unknown', 'impossible',
        'withdrawn')),
    reason TEXT NOT NULL DEFAULT '',
    words TEXT NOT NULL DEFAULT '',
    -- Whether what is being sent may be sent again if the process dies over it.
    repeatable INTEGER NOT NULL DEFAULT 0,
    due_ms INTEGER,
    serial INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    first_tried_ms INTEGER,
    created_ms INTEGER NOT NULL,
    settled_ms INTEGER,
    UNIQUE (row, kind, target)
);
CREATE TABLE opt_out_acknowledgement (
    number INTEGER PRIMARY KEY,
    row INTEGER NOT NULL REFERENCES row (id),
    at_ms INTEGER NOT NULL,
    withdrawn INTEGER NOT NULL CHECK (withdrawn IN (0, 1)),
    by TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE TABLE "outbox" (
    number INTEGER PRIMARY KEY,
    event_id TEXT NOT NULL UNIQUE,
    endpoint TEXT NOT NULL,
    run INTEGER NOT NULL,
    row INTEGER NOT NULL,
    campaign TEXT NOT NULL,
    contact TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'dead')),
    -- All attempts ever, and those since the schedule began anew.
    attempts INTEGER NOT NULL DEFAULT 0,
    step INTEGER NOT NULL DEFAULT 0,
    due_ms INTEGER,
    words TEXT NOT NULL DEFAULT '',
    created_ms INTEGER NOT NULL,
    delivered_ms INTEGER,
    UNIQUE (row, endpoint)
);
INSERT INTO "outbox" VALUES(1,'msg_390f737bf25213946544000d2d','crm',1,1,'C1','P1','{"event":"DISPOSITION_UPDATE","type":"disposition.updated","source":"CXone_Outbound_Sync","timestamp":"2026-11-23T12:00:00.000Z","data":{"run_id":"run-1","campaign_id":"C1","contact_id":"P1","outcome_code":"SALE","category":"positive","agent_id":"A1","disposition_timestamp":"2026-11-23T12:00:00.000Z","event_id":null,"status":"applied","reason":"written","latency_ms":30.0}}','waiting',0,0,1795435200000,'',1795435200000,NULL);
CREATE TABLE remains (present INTEGER NOT NULL);
INSERT INTO "remains" VALUES(0);
CREATE TABLE result_file (
    run INTEGER NOT NULL REFERENCES run (number),
    directory BLOB NOT NULL, -- as the system spells it, which need not be text
    PRIMARY KEY (run, directory)
) WITHOUT ROWID;
CREATE TABLE row (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (number),
    source INTEGER NOT NULL REFERENCES source (number),
    line INTEGER NOT NULL,
    cells TEXT NOT NULL,
    key BLOB,
    campaign TEXT NOT NULL,
    contact TEXT NOT NULL,
    outcome TEXT NOT NULL,
    agent TEXT NOT NULL,
    category TEXT,
    notes TEXT,
    custom_fields TEXT,
    timestamp_ms INTEGER,
    event_id TEXT,
    problems TEXT,
    status TEXT NOT NULL CHECK (status IN (
        'pending', 'writing', 'deferred', 'doubtful', 'applied', 'unchanged', 'duplicate',
        'superseded', 'missing', 'invalid', 'rejected', 'failed')),
    reason TEXT NOT NULL DEFAULT '',
    words TEXT NOT NULL DEFAULT '',
    lane INTEGER NOT NULL,
    due_ms INTEGER,
    serial INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0,
    deferrals INTEGER NOT NULL DEFAULT 0,
    doubt INTEGER NOT NULL DEFAULT 0,
    first_tried_ms INTEGER,
    first_deferred_ms INTEGER,
    wait_ms REAL,
    read_ms REAL,
    write_ms REAL,
    settled_ms INTEGER
, salt BLOB, erased_ms INTEGER, opt_out_received_ms INTEGER, call_record TEXT, call_personal TEXT);
INSERT INTO "row" VALUES(1,1,1,2,'["P1", "SALE"]',X'F8A45866476E73A7C8E41BC0881BC63C','C1','P1','SALE','A1','positive',NULL,NULL,1795435200000,NULL,NULL,'applied','written','',1,NULL,1,1,0,0,0,1795435200000,NULL,95.0,10.0,20.0,1795435200000,X'A7F9AE8A2AD90A2401BE17C25525F1207FDDBB2CF21C48713324F3A4B73D6552',NULL,NULL,NULL,NULL);
INSERT INTO "row" VALUES(2,1,1,2,'["P2", "SALE"]',X'AEF08DA1743D04E32CA1361D357E1CE8','C1','P2','SALE','A1','positive',NULL,NULL,1795435200000,NULL,NULL,'unchanged','same_in_tenant','',1,NULL,1,1,0,0,0,1795435200000,NULL,95.0,10.0,20.0,1795435200000,X'0E65E82004E1F4B8EE48154B87D060332B809BBB325E1CCC544151AE40D1B3B3',NULL,NULL,NULL,NULL);
INSERT INTO "row" VALUES(3,1,1,2,'["P3", "SALE"]',X'655CE32EECFB27B56888A68227F08313','C1','P3','SALE','A1','positive',NULL,NULL,1795435200000,NULL,NULL,'rejected','refused_409','The contact is closed.',1,NULL,1,1,0,0,0,1795435200000,NULL,95.0,10.0,20.0,1795435200000,X'BF3F17F2EDBF138D16223C2151F263ECF410483F6565B7FDAA86F81A8CC55E33',NULL,NULL,NULL,NULL);
INSERT INTO "row" VALUES(4,1,1,2,'["P4", "SALE"]',X'4BDFBAF75189B0E2A887C58AFCD6C159','C1','P4','SALE','A1','positive',NULL,NULL,1795435200000,NULL,NULL,'missing','no_such_contact','',1,NULL,1,1,0,0,0,1795435200000,NULL,95.0,10.0,20.0,1795435200000,X'73DB5A1ADFFE88FA0B185E587655A2A6116ACEBEA69399EC1344619ECECFCB43',NULL,NULL,NULL,NULL);
INSERT INTO "row" VALUES(5,1,1,2,'["P5", "SALE"]',X'E80CADAFB6B0D752B792441BE9043FB5','C1','P5','SALE','A1','positive',NULL,NULL,1795435200000,NULL,NULL,'doubtful','timeout','no answer in time',1,1795435201000,1,1,0,0,1,1795435200000,NULL,95.0,10.0,20.0,NULL,X'DD86618E19E16CF8608C7134E9FAF12548F1B24E9CA874F85EEB6113E69F405A',NULL,NULL,NULL,NULL);
INSERT INTO "row" VALUES(6,1,1,2,'["P6", "SALE"]',X'0C373EE68FCF7F9DDC898A0B6F105722','C1','P6','SALE','A1','positive',NULL,NULL,1795435200000,NULL,NULL,'pending','status_503','The tenant answered 503.',1,1795435200500,1,1,0,0,0,1795435200000,NULL,95.0,10.0,20.0,NULL,X'AAE27D5AEC2F83015BF736E77BD243FFA966DC258EA0C73FC332345817FB57C7',NULL,NULL,NULL,NULL);
INSERT INTO "row" VALUES(7,1,1,2,'["P7", "SALE"]',X'2ED6584D3C3DC8C63C8C4217390FB742','C1','P7','SALE','A1','positive',NULL,NULL,1795435200000,NULL,NULL,'deferred','on_call','The contact is CONNECTED.',1,1795435202000,1,0,0,1,0,1795435200000,1795435200000,95.0,10.0,20.0,NULL,X'0496914F005134F0544F79216EDE706B3C6B3095A780872047C376F1302412EE',NULL,NULL,NULL,NULL);
INSERT INTO "row" VALUES(8,1,1,9,'["P1", "SALE"]',X'F8A45866476E73A7C8E41BC0881BC63C','C1','P1','SALE','A1','positive',NULL,NULL,1795435200000,NULL,NULL,'duplicate','same_disposition','The same disposition is in the journal already.',2,NULL,0,0,0,0,0,NULL,NULL,NULL,NULL,NULL,1795435200000,X'1185D8FBFDA7D2FF15A67671E5F5188E3DBABA0CC0E2AB60198C1CDDBEE29F2E',NULL,NULL,NULL,NULL);
INSERT INTO "row" VALUES(9,1,1,10,'["é", 7]',NULL,'','','','',NULL,NULL,NULL,NULL,NULL,'[{"field": "agent", "code": "missing_value", "message": "The agent is empty.", "hint": "Fill it in."}, {"field": "outcome", "code": "bad_outcome", "message": "The outcome is no code.", "hint": "Write SALE."}]','invalid','missing_value','The agent is empty. The outcome is no code.',2,NULL,0,0,0,0,0,NULL,NULL,NULL,NULL,NULL,1795435200000,X'AC3357A104D1AF07232AC928F45D20E16497F95F243DC7379EE8463FE5A8963F',NULL,NULL,NULL,NULL);
INSERT INTO "row" VALUES(10,1,1,11,'["P8", "SALE"]',X'301D642D4BEB6EDC10E59F20700F56D7','C1','P8','SALE','A1','positive',NULL,NULL,1795435200000,NULL,NULL,'writing','','',1,NULL,1,1,0,0,0,1795435200000,NULL,NULL,NULL,NULL,NULL,X'0E1ABCF4F17C2A76B0FDF95CC6AE2711022B603FF234BCCD3C03BF194D1A6AEF',NULL,NULL,NULL,NULL);
INSERT INTO "row" VALUES(11,1,1,12,'["P9", "SALE"]',X'9849D735DF2C585B05CA4DEEA628FAC9','C1','P9','SALE','A1','positive',NULL,NULL,1795435200000,NULL,NULL,'pending','','',2,1795435200000,0,0,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,X'48F9F5DB454FE4641E6E68D71CC43704F42EDE1BBFA295FAE8BAD1C1AE43854A',NULL,NULL,NULL,NULL);
CREATE TABLE run (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    started_ms INTEGER NOT NULL,
    worked_ms INTEGER NOT NULL DEFAULT 0,
    rows_read INTEGER NOT NULL DEFAULT 0,
    on_conflict TEXT NOT NULL CHECK (on_conflict IN ('newest', 'first', 'error')),
    intake_complete INTEGER NOT NULL DEFAULT 0
);
INSERT INTO "run" VALUES(1,'run-1',1795435200000,0,11,'newest',1);
CREATE TABLE run_pace (
    run INTEGER NOT NULL REFERENCES run (number),
    campaign TEXT NOT NULL,
    requests INTEGER NOT NULL,
    throttled INTEGER NOT NULL,
    peak_per_second INTEGER NOT NULL,
    active_seconds REAL NOT NULL,
    limit_per_second REAL NOT NULL,
    PRIMARY KEY (run, campaign)
) WITHOUT ROWID;
CREATE TABLE source (
    number INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (number),
    name TEXT NOT NULL,
    path TEXT,
    sha256 TEXT,
    options TEXT NOT NULL,
    columns TEXT NOT NULL,
    rows_read INTEGER NOT NULL DEFAULT 0,
    complete INTEGER NOT NULL DEFAULT 0
);
INSERT INTO "source" VALUES(1,1,'run-1.csv',NULL,'abababababababababababababababababababababababababababababababab','{}','["contact", "outcome"]',11,1);
CREATE INDEX row_due ON row (campaign, lane, due_ms, id) WHERE due_ms IS NOT NULL;
CREATE UNIQUE INDEX row_holder ON row (key) WHERE status IN (
    'pending', 'writing', 'deferred', 'doubtful', 'applied', 'unchanged', 'superseded');
CREATE INDEX row_contact ON row (campaign, contact, timestamp_ms, id) WHERE status IN (
    'pending', 'writing', 'deferred', 'doubtful', 'applied', 'unchanged',
    'missing', 'rejected', 'failed');
CREATE INDEX row_left ON row (status, id) WHERE due_ms IS NULL AND status IN (
    'pending', 'writing', 'deferred', 'doubtful');
CREATE INDEX row_run ON row (run, id);
CREATE INDEX row_open ON row (run) WHERE status IN (
    'pending', 'writing', 'deferred', 'doubtful');
CREATE INDEX audit_run ON audit (run, number);
CREATE INDEX audit_contact ON audit (contact, number);
CREATE INDEX outbox_due ON outbox (endpoint, due_ms, number) WHERE due_ms IS NOT NULL;
CREATE INDEX outbox_queue ON outbox (endpoint, campaign, contact, number)
    WHERE state = 'waiting';
CREATE INDEX outbox_dead ON outbox (number) WHERE state = 'dead';
CREATE INDEX outbox_run ON outbox (run, endpoint, state);
CREATE INDEX row_repeat ON row (key) WHERE status = 'duplicate' AND call_record IS NOT NULL;
CREATE INDEX row_opt_out ON row (opt_out_received_ms, id) WHERE opt_out_received_ms IS NOT NULL;
CREATE INDEX row_opt_out_run ON row (run, status) WHERE opt_out_received_ms IS NOT NULL;
CREATE INDEX acknowledgement_row ON opt_out_acknowledgement (row, number);
CREATE TRIGGER audit_clock_goes_on AFTER INSERT ON audit
WHEN new.at_ms > (SELECT latest_ms FROM audit_clock) + 1000
BEGIN
    UPDATE audit_clock SET latest_ms = new.at_ms;
END;
CREATE INDEX follow_up_due ON follow_up (kind, due_ms, number) WHERE due_ms IS NOT NULL;
CREATE INDEX follow_up_open ON follow_up (state, run, number) WHERE state IN ('waiting', 'sending');
CREATE INDEX follow_up_run ON follow_up (run, kind, state);
CREATE INDEX follow_up_contact ON follow_up (contact);
COMMIT;
PRAGMA application_id = 1634104419;
PRAGMA user_version = 7;

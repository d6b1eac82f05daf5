BEGIN TRANSACTION;
CREATE TABLE actions (
    session INTEGER NOT NULL, number INTEGER NOT NULL, action BLOB NOT NULL, facts BLOB NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (session, number)
) WITHOUT ROWID;
INSERT INTO "actions" VALUES(1,1,CAST('{"do":"Forward"}' AS BLOB),CAST('{"say":"Facts","phase":{"statement":"backward"},"loss":18746.5390625,"curve":"0"}' AS BLOB),1.79582031573737573625e+09);
INSERT INTO "actions" VALUES(1,2,CAST('{"do":"StepNode"}' AS BLOB),CAST('{"say":"Facts","phase":{"kind":"in_backward","number":1,"total":11},"loss":18746.5390625,"curve":"0","seen":["nodes"]}' AS BLOB),1.79582031573764300345e+09);
INSERT INTO "actions" VALUES(1,3,CAST('{"do":"StepNode"}' AS BLOB),CAST('{"say":"Facts","phase":{"kind":"in_backward","number":2,"total":11},"loss":18746.5390625,"curve":"0","seen":["nodes"]}' AS BLOB),1.79582031573773741716e+09);
INSERT INTO "actions" VALUES(1,4,CAST('{"do":"Backward"}' AS BLOB),CAST('{"say":"Facts","phase":{"statement":"update"},"loss":18746.5390625,"curve":"0","seen":["nodes"]}' AS BLOB),1.79582031573781967159e+09);
INSERT INTO "actions" VALUES(1,5,CAST('{"do":"Update"}' AS BLOB),CAST('{"say":"Facts","phase":{"statement":"zero"},"loss":18746.5390625,"curve":"0","seen":["nodes"]}' AS BLOB),1.7958203157378959656e+09);
INSERT INTO "actions" VALUES(1,6,CAST('{"do":"Undo"}' AS BLOB),CAST('{"say":"Facts","phase":{"statement":"update"},"loss":18746.5390625,"curve":"0","seen":["nodes"]}' AS BLOB),1.79582031573797082897e+09);
INSERT INTO "actions" VALUES(1,7,CAST('{"do":"Forward"}' AS BLOB),CAST('{"say":"Facts","phase":{"statement":"backward"},"loss":18746.5390625,"curve":"0","seen":["nodes"]}' AS BLOB),1.79582031573804616923e+09);
INSERT INTO "actions" VALUES(1,8,CAST('{"do":"Update"}' AS BLOB),CAST('{"say":"Facts","phase":{"statement":"zero"},"loss":18746.5390625,"curve":"0","seen":["nodes"]}' AS BLOB),1.79582031573812627789e+09);
INSERT INTO "actions" VALUES(1,9,CAST('{"do":"Backward"}' AS BLOB),CAST('{"say":"Facts","phase":{"statement":"update"},"epoch":1,"loss":18746.5390625,"curve":"0","seen":["nodes","accumulation"]}' AS BLOB),1.79582031573819780349e+09);
INSERT INTO "actions" VALUES(3,1,CAST('{"do":"RunEpochs","count":3}' AS BLOB),CAST('{"say":"Facts","phase":{},"epoch":3,"loss":0.2657407224178314,"curve":"700"}' AS BLOB),1.79582031579069232945e+09);
INSERT INTO "actions" VALUES(3,2,CAST('{"do":"ToggleZeroing"}' AS BLOB),CAST('{"say":"Facts","phase":{},"epoch":3,"loss":0.2657407224178314,"curve":"700","seen":["no_zeroing"]}' AS BLOB),1.79582031579085755349e+09);
INSERT INTO "actions" VALUES(3,3,CAST('{"do":"SetBatches","batches":{"way":"mini","size":2}}' AS BLOB),CAST('{"say":"Facts","phase":{"number":1,"total":2},"epoch":3,"loss":0.2657407224178314,"curve":"700","seen":["no_zeroing"]}' AS BLOB),1.79582031579094195368e+09);
INSERT INTO "actions" VALUES(3,4,CAST('{"do":"Forward"}' AS BLOB),CAST('{"say":"Facts","phase":{"statement":"backward","number":1,"total":2},"epoch":3,"loss":0.1532035768032074,"curve":"700","seen":["no_zeroing"]}' AS BLOB),1.79582031579101371763e+09);
INSERT INTO "actions" VALUES(3,5,CAST('{"do":"StepNode"}' AS BLOB),CAST('{"say":"Facts","phase":{"kind":"in_backward","number":1,"total":16},"epoch":3,"loss":0.1532035768032074,"curve":"700","seen":["nodes","no_zeroing"]}' AS BLOB),1.7958203157910833359e+09);
INSERT INTO "actions" VALUES(3,6,CAST('{"do":"StepNode"}' AS BLOB),CAST('{"say":"Facts","phase":{"kind":"in_backward","number":2,"total":16},"epoch":3,"loss":0.1532035768032074,"curve":"700","seen":["nodes","no_zeroing"]}' AS BLOB),1.79582031579115629195e+09);
INSERT INTO "actions" VALUES(3,7,CAST('{"do":"StepNode"}' AS BLOB),CAST('{"say":"Facts","phase":{"kind":"in_backward","number":3,"total":16},"epoch":3,"loss":0.1532035768032074,"curve":"700","seen":["nodes","no_zeroing"]}' AS BLOB),1.79582031579122209548e+09);
INSERT INTO "actions" VALUES(5,1,CAST('{"do":"Forward"}' AS BLOB),CAST('{"say":"Facts","phase":{"statement":"backward"},"loss":0.3065233826637268,"curve":"0"}' AS BLOB),1.79582031585578441625e+09);
INSERT INTO "actions" VALUES(5,2,CAST('{"do":"Backward"}' AS BLOB),CAST('{"say":"Facts","phase":{"statement":"update"},"loss":0.3065233826637268,"curve":"0"}' AS BLOB),1.79582031586264681813e+09);
INSERT INTO "actions" VALUES(5,3,CAST('{"do":"Forward"}' AS BLOB),CAST('{"say":"Facts","phase":{"statement":"backward"},"loss":0.3065233826637268,"curve":"0"}' AS BLOB),1.79582031586273622517e+09);
INSERT INTO "actions" VALUES(5,4,CAST('{"do":"Update"}' AS BLOB),CAST('{"say":"Facts","phase":{"statement":"zero"},"loss":0.3065233826637268,"curve":"0"}' AS BLOB),1.79582031586280703545e+09);
INSERT INTO "actions" VALUES(5,5,CAST('{"do":"Backward"}' AS BLOB),CAST('{"say":"Facts","phase":{"statement":"zero"},"loss":0.3065233826637268,"refusal":{"kind":"RuntimeError","words":"one of the variables needed for gradient computation has been modified by an inplace operation: [torch.Flo"},"curve":"0"}' AS BLOB),1.79582031586288809778e+09);
INSERT INTO "actions" VALUES(6,1,CAST('{"do":"RunEpochs","count":2}' AS BLOB),CAST('{"say":"Facts","phase":{},"epoch":2,"loss":12756.552734375,"curve":"70"}' AS BLOB),1.79582031588661575316e+09);
CREATE TABLE keys (
    name TEXT NOT NULL, fingerprint TEXT NOT NULL, PRIMARY KEY (name, fingerprint)
) WITHOUT ROWID;
CREATE TABLE learners (
    name TEXT PRIMARY KEY, role TEXT NOT NULL, code TEXT NOT NULL, hand REAL NOT NULL DEFAULT 0,
    allows INTEGER NOT NULL DEFAULT 1, seen TEXT NOT NULL DEFAULT '',
    told BLOB NOT NULL DEFAULT '[]', missed INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
INSERT INTO "learners" VALUES('ann','learner','5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b',0.0,1,'nodes,accumulation',CAST('[{"say":"Told","text":"look at g","by":"ida","at":1795820315.8868613}]' AS BLOB),1);
INSERT INTO "learners" VALUES('bob','learner','5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b',0.0,1,'nodes,no_zeroing','[]',0);
INSERT INTO "learners" VALUES('cleo','learner','5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b',0.0,1,'','[]',0);
INSERT INTO "learners" VALUES('ida','instructor','5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b',0.0,1,'','[]',0);
CREATE TABLE sessions (id INTEGER PRIMARY KEY, name TEXT NOT NULL, start BLOB NOT NULL);
INSERT INTO "sessions" VALUES(1,'ann',CAST('{"problem":"crops","seed":null,"rate":null,"digest":null,"names":null,"optimizer":null,"batches":null,"table":null}' AS BLOB));
INSERT INTO "sessions" VALUES(2,'bob',CAST('{"problem":"crops","seed":null,"rate":null,"digest":null,"names":null,"optimizer":null,"batches":null,"table":null}' AS BLOB));
INSERT INTO "sessions" VALUES(3,'bob',CAST('{"problem":"xor","seed":null,"rate":null,"digest":null,"names":null,"optimizer":null,"batches":null,"table":null}' AS BLOB));
INSERT INTO "sessions" VALUES(4,'cleo',CAST('{"problem":"crops","seed":null,"rate":null,"digest":null,"names":null,"optimizer":null,"batches":null,"table":null}' AS BLOB));
INSERT INTO "sessions" VALUES(5,'cleo',CAST('{"problem":"xor","seed":null,"rate":null,"digest":null,"names":null,"optimizer":null,"batches":null,"table":null}' AS BLOB));
INSERT INTO "sessions" VALUES(6,'ida',CAST('{"problem":"crops","seed":null,"rate":null,"digest":null,"names":null,"optimizer":null,"batches":null,"table":null}' AS BLOB));
CREATE INDEX latest ON sessions (name, id);
COMMIT;
PRAGMA user_version = 3;

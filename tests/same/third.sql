PATCH orders KEY "order1" SET {"status": "delivered"};
INSERT INTO orders {"id": "order3", "status": "pending"};
BEGIN;
UPSERT INTO orders {"id": "order3", "status": "paid"};
UPSERT INTO items {"sku": 3, "name": "sugar"};
COMMIT;
COMPACT orders;
CREATE TABLE `Ä log` (pk=n);
INSERT INTO `Ä log` {"n": 1, "text": "the end"};

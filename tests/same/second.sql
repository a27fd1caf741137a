SOFT DELETE FROM orders KEY "order2";
RESTORE orders KEY "order2" AS OF "@seq:2";
UPSERT INTO items {"sku": 2, "name": "green tea", "price": 12345678901234567890};
SOFT DELETE FROM items KEY 1;
INSERT INTO items {"sku": 1, "name": "another life"};
BEGIN;
INSERT INTO orders {"id": "never", "status": "rolled back"};
ROLLBACK;
PATCH orders KEY "order1" SET {"status": "sent", "paid": {"at": null}};

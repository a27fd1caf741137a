# 10,000 orders as JSON Lines, the same ones every time.
function random(n) { seed = (seed * 16807) % 2147483647; return seed % n }
BEGIN {
    seed = 7
    split("pending paid shipped returned", status, " ")
    split("Oslo Lima Pune Kyiv Lagos Quito", city, " ")
    for (i = 1; i <= 10000; i++)
        printf "{\"id\": \"order-%05d\", \"status\": \"%s\", \"customer_id\": \"cust%d\", \"amount\": %d.%02d, \"address\": {\"city\": \"%s\"}}\n",
            i, status[1 + random(4)], 1 + random(200), 1 + random(500), random(100), city[1 + random(6)]
}

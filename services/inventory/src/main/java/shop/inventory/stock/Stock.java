package shop.inventory.stock;

/** An article, how many of it can be had, and what one costs. */
record Stock(String sku, int available, long priceCents) {
}

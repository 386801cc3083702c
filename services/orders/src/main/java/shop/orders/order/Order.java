package shop.orders.order;

/** An order that was reserved and paid. */
record Order(String id, String sku, int quantity, long amountCents, String payment) {
}

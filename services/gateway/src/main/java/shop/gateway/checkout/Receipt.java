package shop.gateway.checkout;

/** What a customer gets: the order and what was paid for it. */
record Receipt(String id, String sku, int quantity, long amountCents, String payment) {
}

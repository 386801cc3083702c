package shop.payments.payment;

/** What was charged. */
record Payment(String id, String order, long amountCents) {
}

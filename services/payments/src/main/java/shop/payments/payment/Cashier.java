package shop.payments.payment;

import java.util.UUID;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.stereotype.Service;

/** Charges once for each order: an order that comes again gets the payment it already has. */
@Service
class Cashier {

	private static final Logger log = LoggerFactory.getLogger(Cashier.class);

	private final PaymentStore store;

	Cashier(PaymentStore store) {
		this.store = store;
	}

	Payment charge(Charge charge) {
		return this.store.findByOrder(charge.order()).orElseGet(() -> chargeNow(charge));
	}

	private Payment chargeNow(Charge charge) {
		Payment payment = new Payment(UUID.randomUUID().toString(), charge.order(), charge.amountCents());
		this.store.add(payment);
		log.info("payment {} of {} cents accepted for order {}", payment.id(), payment.amountCents(), payment.order());
		return payment;
	}

}

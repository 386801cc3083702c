package shop.payments.payment;

import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.Positive;

/** What is to be charged, and to which card; the card is never logged or kept. */
record Charge(@NotBlank String order, @Positive long amountCents,
		@NotNull @Pattern(regexp = "card-[0-9]{4,8}") String card) {
}

package shop.gateway.checkout;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;

/** What a customer sends: an article, how many, and the token that stands for a card. */
record Checkout(@NotNull @Pattern(regexp = "[a-z]+-[0-9]{3}") String sku, @Min(1) @Max(20) int quantity,
		@NotNull @Pattern(regexp = "card-[0-9]{4,8}") String card) {
}

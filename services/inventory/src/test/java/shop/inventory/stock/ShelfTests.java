package shop.inventory.stock;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** What is taken is gone until the shelf is refilled. */
class ShelfTests {

	@Test
	void nobody_takes_more_than_there_is_and_refilling_brings_it_back() {
		Shelf shelf = new Shelf();
		assertThat(shelf.take("book-003", Shelf.FULL - 1)).isTrue();
		assertThat(shelf.take("book-003", 2)).isFalse();
		assertThat(shelf.find("book-003").orElseThrow().available()).isEqualTo(1);
		shelf.refill();
		assertThat(shelf.find("book-003").orElseThrow().available()).isEqualTo(Shelf.FULL);
	}

	@Test
	void what_is_sold_out_stays_so() {
		Shelf shelf = new Shelf();
		shelf.refill();
		assertThat(shelf.take("book-000", 1)).isFalse();
	}

}

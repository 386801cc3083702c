package shop.faults;

import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code heap-leak}: entries are kept until what the collector can't free is 88 % of the heap, then no more.
 * It stays below the end of the heap on purpose: a service that dies of it would be another fault.
 */
class HeapLeak extends BackgroundFault {

	private static final Logger log = LoggerFactory.getLogger(HeapLeak.class);

	private static final double TARGET = 0.88;

	/** Above this, entries are dropped again, so that a busy minute doesn't end in an OutOfMemoryError. */
	private static final double LIMIT = 0.90;

	/** The target is reached evenly, in this many steps of half a second. */
	private static final int STEPS = 140;

	private static final Duration STEP = Duration.ofMillis(500);

	/** Small enough for any free place, large enough that the collector has few objects to walk through. */
	private static final int ENTRY_BYTES = 32 * 1024;

	private final double target;

	private final Duration step;

	HeapLeak() {
		this(TARGET, STEP);
	}

	HeapLeak(double target, Duration step) {
		super("heap-leak", "basket-cache");
		this.target = target;
		this.step = step;
	}

	/** What is kept hangs on this thread alone: when it ends, the collector takes it. */
	@Override
	void run() throws InterruptedException {
		Deque<byte[]> entries = new ArrayDeque<>();
		Pace words = new Pace(Duration.ofSeconds(7));
		Heap heap = new Heap();
		System.gc(); // Says what lives beside the leak; later collections come by themselves.
		long others = heap.usedAfterCollection();
		long collections = heap.collections();
		int entriesPerStep = (int) Math.max(1, (this.target * heap.max() - others) / STEPS / ENTRY_BYTES);
		while (!Thread.currentThread().isInterrupted()) {
			if (heap.collections() != collections) {
				collections = heap.collections();
				others = heap.usedAfterCollection() - bytes(entries);
			}
			double share = (double) (others + bytes(entries)) / heap.max();
			for (int i = 0; i < entriesPerStep; i++) {
				if (share < this.target) {
					entries.add(new byte[ENTRY_BYTES]);
				}
				else if (share > this.target + LIMIT - TARGET) {
					entries.poll();
				}
			}
			if (words.isDue()) {
				log.warn("basket cache holds {} entries of {} kB, no eviction configured, heap {} %", entries.size(),
						ENTRY_BYTES / 1024, Math.round(share * 100));
			}
			Thread.sleep(this.step.toMillis());
		}
	}

	private static long bytes(Deque<byte[]> entries) {
		return (long) entries.size() * ENTRY_BYTES;
	}

	/** The heap as the collector sees it, over all its pools. */
	private static final class Heap {

		private final List<MemoryPoolMXBean> pools = ManagementFactory.getMemoryPoolMXBeans()
			.stream()
			.filter((pool) -> pool.getType() == MemoryType.HEAP)
			.toList();

		/** The collectors that clear the whole heap; a young collection leaves the old generation's figure as it was. */
		private final List<GarbageCollectorMXBean> collectors = ManagementFactory.getGarbageCollectorMXBeans()
			.stream()
			.filter((collector) -> Set.of(collector.getMemoryPoolNames())
				.containsAll(this.pools.stream().map(MemoryPoolMXBean::getName).toList()))
			.toList();

		/** G1 gives no maximum (−1) for Eden and Survivor: only those that have one count. */
		long max() {
			return this.pools.stream().mapToLong((pool) -> Math.max(0, pool.getUsage().getMax())).sum();
		}

		long usedAfterCollection() {
			return this.pools.stream()
				.map(MemoryPoolMXBean::getCollectionUsage)
				.filter((usage) -> usage != null)
				.mapToLong(MemoryUsage::getUsed)
				.sum();
		}

		long collections() {
			return this.collectors.stream().mapToLong(GarbageCollectorMXBean::getCollectionCount).sum();
		}

	}

}

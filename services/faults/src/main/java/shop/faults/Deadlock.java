package shop.faults;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.http.HttpStatus;
import org.springframework.web.server.ResponseStatusException;

/**
 * {@code deadlock}: two threads take two locks in opposite order and wait for each other forever. One of them holds
 * the monitor that every request needs, so that requests pile up, blocked.
 */
class Deadlock extends SwitchedFault {

	private static final Logger log = LoggerFactory.getLogger(Deadlock.class);

	/** As a bulkhead does it: the other threads of the server stay free for health, metrics and the way out. */
	private static final int BLOCKED_MAX = 30;

	private final Duration watchInterval;

	private final AtomicInteger blocked = new AtomicInteger();

	private volatile Knot knot;

	Deadlock(Duration watchInterval) {
		super("deadlock");
		this.watchInterval = watchInterval;
	}

	@Override
	void begin() {
		this.knot = new Knot(this.watchInterval);
	}

	@Override
	void end() {
		this.knot.cut();
		this.knot = null;
	}

	@Override
	public void beforeRequest() {
		Knot current = this.knot;
		if (current == null) {
			return;
		}
		if (this.blocked.incrementAndGet() > BLOCKED_MAX) {
			this.blocked.decrementAndGet();
			throw new ResponseStatusException(HttpStatus.SERVICE_UNAVAILABLE,
					"the price list is locked and " + BLOCKED_MAX + " requests wait for it already");
		}
		try {
			current.readPrices();
		}
		finally {
			this.blocked.decrementAndGet();
		}
	}

	/** The two locks, the two threads that wait for each other, and the watch that reports them. */
	private static final class Knot {

		private final Object priceList = new Object();

		private final ReentrantLock prices = new ReentrantLock();

		private final ReentrantLock campaigns = new ReentrantLock();

		/** Both have their first lock before either asks for its second. */
		private final CountDownLatch firstLocks = new CountDownLatch(2);

		private final Thread priceRefresh;

		private final Thread watch;

		Knot(Duration watchInterval) {
			this.priceRefresh = Daemon.start("price-refresh", () -> inOrder(this.prices, this.campaigns));
			Daemon.start("campaign-refresh", () -> {
				synchronized (this.priceList) {
					inOrder(this.campaigns, this.prices);
				}
			});
			this.watch = Daemon.start("deadlock-watch", () -> watch(watchInterval));
		}

		void readPrices() {
			synchronized (this.priceList) {
				// Nothing to do in here: getting in is what takes forever.
			}
		}

		/** One gives up; the other gets its lock, leaves the monitor, and all requests go on. */
		void cut() {
			this.priceRefresh.interrupt();
			this.watch.interrupt();
		}

		private void inOrder(ReentrantLock first, ReentrantLock second) throws InterruptedException {
			first.lockInterruptibly();
			try {
				this.firstLocks.countDown();
				this.firstLocks.await();
				second.lockInterruptibly();
				second.unlock();
			}
			finally {
				first.unlock();
			}
		}

		private void watch(Duration interval) throws InterruptedException {
			ThreadMXBean mxBean = ManagementFactory.getThreadMXBean();
			while (true) {
				Thread.sleep(interval.toMillis());
				long[] ids = mxBean.findDeadlockedThreads();
				if (ids != null) {
					for (ThreadInfo info : mxBean.getThreadInfo(ids)) {
						log.error("deadlock: thread {} waits for a lock that {} holds", info.getThreadName(),
								info.getLockOwnerName());
					}
				}
			}
		}

	}

}

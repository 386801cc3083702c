package shop.faults;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.lang.management.ThreadMXBean;
import java.sql.Connection;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

import com.zaxxer.hikari.HikariDataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.web.server.ResponseStatusException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/** What each fault does to the process that has it, and that it is over when it is switched off. */
@ExtendWith(OutputCaptureExtension.class)
class FaultsTests {

	private static final Duration PATIENCE = Duration.ofSeconds(30);

	/** Long enough that a busy machine isn't taken for a slow dependency. */
	private static final Duration DELAY = Duration.ofSeconds(1);

	@Test
	void cpu_burn_keeps_one_thread_computing(CapturedOutput log) {
		CpuBurn fault = new CpuBurn();
		fault.switchOn();
		fault.switchOn();
		try {
			ThreadMXBean threads = ManagementFactory.getThreadMXBean();
			List<Thread> burning = named("price-rules");
			assertThat(burning).hasSize(1);
			await().atMost(PATIENCE)
				.until(() -> threads.getThreadCpuTime(burning.get(0).getId()) > Duration.ofMillis(300).toNanos());
			await().atMost(PATIENCE).until(() -> log.getOut().contains("price rules recomputed"));
		}
		finally {
			fault.switchOff();
		}
		assertThat(fault.isOn()).isFalse();
		await().atMost(PATIENCE).until(() -> named("price-rules").isEmpty());
	}

	@Test
	void heap_leak_fills_the_heap_to_its_target_and_no_further(CapturedOutput log) {
		double before = heapAfterCollection();
		double target = before + 0.4;
		HeapLeak fault = new HeapLeak(target, Duration.ofMillis(5));
		fault.switchOn();
		try {
			await().atMost(PATIENCE).until(() -> heapAfterCollection() > target - 0.03);
			for (int look = 0; look < 20; look++) {
				assertThat(heapAfterCollection()).isBetween(target - 0.05, target + 0.05);
			}
			assertThat(log.getOut()).contains("no eviction configured");
		}
		finally {
			fault.switchOff();
		}
		await().atMost(PATIENCE).until(() -> heapAfterCollection() < before + 0.05);
	}

	@Test
	void slow_dependency_makes_a_request_wait_and_says_for_whom(CapturedOutput log) {
		SlowDependency fault = new SlowDependency("card provider", DELAY);
		assertThat(millisecondsOf(fault)).isLessThan(DELAY.toMillis());
		fault.switchOn();
		assertThat(millisecondsOf(fault)).isGreaterThanOrEqualTo(DELAY.toMillis());
		assertThat(log.getOut()).containsPattern("card provider answered after \\d{4,} ms, expected within \\d+ ms");
		fault.switchOff();
		assertThat(millisecondsOf(fault)).isLessThan(DELAY.toMillis());
	}

	@Test
	void bad_release_is_slow_in_its_own_version_only_and_is_not_switched(CapturedOutput log) {
		BadRelease good = new BadRelease("1.0.0", DELAY);
		BadRelease bad = new BadRelease("1.1.0", DELAY);
		assertThat(good.isOn()).isFalse();
		assertThat(bad.isOn()).isTrue();
		assertThat(millisecondsOf(good)).isLessThan(DELAY.toMillis());
		assertThat(millisecondsOf(bad)).isGreaterThanOrEqualTo(DELAY.toMillis());
		assertThat(log.getOut()).contains("discount engine of release 1.1.0");
		assertThatExceptionOfType(FaultRefusedException.class).isThrownBy(good::switchOn)
			.withMessageContaining("--shop.version=1.1.0");
	}

	@Test
	void stopped_is_refused_with_what_to_do_instead() {
		assertThatExceptionOfType(FaultRefusedException.class).isThrownBy(new Stopped()::switchOn)
			.withMessageContaining("SIGTERM");
	}

	@Test
	void error_burst_fails_three_of_ten_requests() {
		ErrorBurst fault = new ErrorBurst();
		assertThat(failuresOf(fault, 100)).isZero();
		fault.switchOn();
		assertThat(failuresOf(fault, 100)).isEqualTo(30);
		fault.switchOff();
		assertThat(failuresOf(fault, 100)).isZero();
	}

	@Test
	void pool_exhausted_leaves_no_connection_to_requests(CapturedOutput log) throws Exception {
		try (HikariDataSource pool = new HikariDataSource()) {
			pool.setJdbcUrl("jdbc:h2:mem:faults");
			pool.setMaximumPoolSize(3);
			pool.setConnectionTimeout(300);
			PoolExhausted fault = new PoolExhausted(pool);
			fault.switchOn();
			await().atMost(PATIENCE).until(() -> log.getOut().contains("reconciliation keeps 3 of 3"));
			assertThatExceptionOfType(SQLTransientConnectionException.class).isThrownBy(pool::getConnection)
				.withMessageContaining("request timed out");
			fault.switchOff();
			await().atMost(PATIENCE).until(() -> pool.getHikariPoolMXBean().getActiveConnections() == 0);
			try (Connection connection = pool.getConnection()) {
				assertThat(connection.isValid(1)).isTrue();
			}
		}
	}

	@Test
	void a_service_without_a_pool_refuses_to_exhaust_it() {
		assertThatExceptionOfType(FaultRefusedException.class).isThrownBy(new NoPool("gateway")::switchOn)
			.withMessageContaining("gateway has no connection pool");
	}

	@Test
	void deadlock_is_one_to_the_jvm_and_blocks_requests_until_it_is_cut(CapturedOutput log) {
		Deadlock fault = new Deadlock(Duration.ofMillis(100));
		fault.switchOn();
		AtomicInteger refused = new AtomicInteger();
		List<Thread> requests = new ArrayList<>();
		List<CompletableFuture<Void>> answers = new ArrayList<>();
		try {
			ThreadMXBean threads = ManagementFactory.getThreadMXBean();
			await().atMost(PATIENCE).until(() -> threads.findDeadlockedThreads() != null);
			assertThat(threads.findDeadlockedThreads()).hasSize(2);
			await().atMost(PATIENCE)
				.until(() -> log.getOut().contains("deadlock: thread price-refresh waits for a lock that campaign-refresh holds"));
			for (int request = 0; request < 35; request++) {
				CompletableFuture<Void> answer = new CompletableFuture<>();
				Thread thread = new Thread(() -> {
					try {
						fault.beforeRequest();
					}
					catch (ResponseStatusException ex) {
						refused.incrementAndGet();
					}
					answer.complete(null);
				});
				requests.add(thread);
				answers.add(answer);
				thread.start();
			}
			await().atMost(PATIENCE).until(() -> refused.get() == 5 && blocked(requests) == 30);
		}
		finally {
			fault.switchOff();
		}
		await().atMost(PATIENCE).until(() -> answers.stream().allMatch(CompletableFuture::isDone));
		fault.beforeRequest();
		assertThat(ManagementFactory.getThreadMXBean().findDeadlockedThreads()).isNull();
	}

	private static long blocked(List<Thread> threads) {
		return threads.stream().filter((thread) -> thread.getState() == Thread.State.BLOCKED).count();
	}

	private static List<Thread> named(String name) {
		return Thread.getAllStackTraces().keySet().stream().filter((thread) -> thread.getName().equals(name)).toList();
	}

	private static long millisecondsOf(Fault fault) {
		long start = System.nanoTime();
		fault.beforeRequest();
		return Duration.ofNanos(System.nanoTime() - start).toMillis();
	}

	private static int failuresOf(Fault fault, int requests) {
		int failures = 0;
		for (int request = 0; request < requests; request++) {
			try {
				fault.beforeRequest();
			}
			catch (ErrorBurst.InconsistentPriceTableException ex) {
				failures++;
			}
		}
		return failures;
	}

	private static double heapAfterCollection() {
		System.gc();
		MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
		return (double) heap.getUsed() / heap.getMax();
	}

}

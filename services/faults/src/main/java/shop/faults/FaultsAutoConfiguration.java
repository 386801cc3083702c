package shop.faults;

import java.sql.SQLException;
import java.time.Duration;
import java.util.List;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariDataSource;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingClass;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.servlet.config.annotation.InterceptorRegistry;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;

/** Gives every service that has this library on its class path the eight faults and the endpoint that switches them. */
@AutoConfiguration
public class FaultsAutoConfiguration {

	private static final Duration SLOWER = Duration.ofMillis(1500);

	private static final Duration WATCH = Duration.ofSeconds(7);

	@Bean(destroyMethod = "switchOff")
	Fault cpuBurn() {
		return new CpuBurn();
	}

	@Bean(destroyMethod = "switchOff")
	Fault heapLeak() {
		return new HeapLeak();
	}

	@Bean
	Fault slowDependency(@Value("${shop.provider:provider}") String provider) {
		return new SlowDependency(provider, SLOWER);
	}

	@Bean
	Fault errorBurst() {
		return new ErrorBurst();
	}

	@Bean
	Fault badRelease(@Value("${shop.version:1.0.0}") String version) {
		return new BadRelease(version, SLOWER);
	}

	@Bean
	Fault stopped() {
		return new Stopped();
	}

	@Bean(destroyMethod = "switchOff")
	Fault deadlock() {
		return new Deadlock(WATCH);
	}

	@Bean
	FaultsEndpoint faultsEndpoint(@Value("${spring.application.name:service}") String service,
			@Value("${shop.version:1.0.0}") String version, List<Fault> faults) {
		return new FaultsEndpoint(service, version, faults);
	}

	@Bean
	WebMvcConfigurer faultsInRequests(List<Fault> faults) {
		return new WebMvcConfigurer() {
			@Override
			public void addInterceptors(InterceptorRegistry registry) {
				registry.addInterceptor(new FaultInterceptor(faults)).excludePathPatterns("/actuator/**", "/error");
			}
		};
	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(HikariDataSource.class)
	static class WithPool {

		@Bean(destroyMethod = "switchOff")
		Fault poolExhausted(DataSource dataSource) throws SQLException {
			return new PoolExhausted(dataSource.unwrap(HikariDataSource.class));
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnMissingClass("com.zaxxer.hikari.HikariDataSource")
	static class WithoutPool {

		@Bean
		Fault poolExhausted(@Value("${spring.application.name:service}") String service) {
			return new NoPool(service);
		}

	}

}

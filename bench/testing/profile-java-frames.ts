import type { FramesByPart } from "./profile-frames.ts";

const sql = "org.apache.spark.sql";
const generated = `${sql}.catalyst.expressions.GeneratedClass$`;

/** Of the window job on Spark. */
export const sparkFrames: FramesByPart = {
  "garbage collection": ["(garbage collection of the JVM)"],
  "compilation to machine code": ["(compilation of Java)"],
  JSON: [
    "com.fasterxml.jackson.core.json.ReaderBasedJsonParser._loadMore",
    `${sql}.catalyst.json.CreateJacksonParser$.utf8String`,
  ],
  "splitting of keys": [
    "org.apache.spark.unsafe.types.UTF8String.split",
    "org.apache.spark.unsafe.types.UTF8String.subStringIndex",
    "org.apache.spark.unsafe.types.UTF8String.trimRight",
    `${sql}.catalyst.util.CollationSupport$SubstringIndex.execBinary`,
  ],
  "regular expressions": ["java.util.regex.Pattern$BmpCharProperty.match"],
  times: [`${sql}.catalyst.util.SparkDateTimeUtils.parseTimestampString`, "java.time.ZoneOffset.of"],
  "aggregation by sorting": [
    `${sql}.execution.aggregate.SortBasedAggregationIterator.processCurrentSortedGroup`,
    `${sql}.execution.aggregate.AggregationIterator.$anonfun$generateProcessRow$7`,
    `${generated}SpecificMutableProjection.Subtract_0$`,
    `${sql}.execution.SortExec$$anon$1.computePrefix`,
    `${sql}.execution.UnsafeExternalRowSorter$RowComparator.compare`,
    "org.apache.spark.util.collection.unsafe.sort.UnsafeInMemorySorter$SortComparator.compare",
    `${generated}SpecificOrdering.compare_0_0$`,
  ],
  "aggregation by hash": [
    `${generated}GeneratedIteratorForCodegenStage14.hashAgg_doAggregateWithKeysOutput_0$`,
    `${sql}.execution.aggregate.HashAggregateExec.outputPartitioning`,
    `${sql}.execution.UnsafeFixedWidthAggregationMap.getAggregationBufferFromUnsafeRow`,
    "org.apache.spark.unsafe.map.BytesToBytesMap.growAndRehash",
  ],
  "state store": [
    `${sql}.execution.streaming.state.NoPrefixHDFSBackedStateStoreMap.putAll`,
    `${sql}.execution.streaming.operators.stateful.StreamingAggregationStateManagerImplV2.put`,
  ],
  "writing partials to Kafka": [
    "org.apache.kafka.clients.producer.KafkaProducer.doSend",
    `${sql}.kafka010.KafkaWriter$.$anonfun$expression$2`,
    `${sql}.kafka010.KafkaRowWriter.sendRow`,
    `${sql}.kafka010.KafkaDataWriter.write`,
    `${sql}.kafka010.KafkaStreamWriter.commit`,
  ],
  "reading from Kafka": [
    "org.apache.kafka.common.utils.Utils.readBytes",
    `${sql}.kafka010.KafkaRecordToRowConverter.$anonfun$toUnsafeRowWithoutHeadersProjector$1`,
    `${sql}.kafka010.consumer.FetchedData.next`,
  ],
  "generation of code": [
    "org.codehaus.janino.UnitCompiler.getReferenceType",
    `${sql}.catalyst.expressions.codegen.CodegenContext.$anonfun$subexpressionEliminationForWholeStageCodegen$1`,
    `${sql}.catalyst.expressions.codegen.GenerateUnsafeProjection$.createCode`,
    `${sql}.catalyst.expressions.codegen.Block.toString`,
    `${sql}.catalyst.expressions.codegen.ExprValue$.exprValueToString`,
    `${sql}.execution.WholeStageCodegenExec.needCopyResult`,
    `${sql}.catalyst.expressions.BinaryArithmetic.doGenCode`,
  ],
  "planning of batches": [
    `${sql}.catalyst.optimizer.CollapseProject$.canCollapseExpressions`,
    `${sql}.catalyst.analysis.UpdateAttributeNullability$$anonfun$apply$1$$anonfun$applyOrElse$5.applyOrElse`,
    `${sql}.catalyst.planning.ScanOperation$.unapply`,
    `${sql}.catalyst.plans.logical.UnionBase.rewriteConstraints`,
    `${sql}.catalyst.rules.PlanChangeLogger.<init>`,
    `${sql}.catalyst.trees.CurrentOrigin$.get`,
    `${sql}.catalyst.util.ResolveDefaultColumns$.getExistenceDefaultValues`,
    `${sql}.execution.QueryExecution$.withInternalError`,
    `${sql}.connect.execution.ExecuteGrpcResponseSender.sendResponse`,
    `${sql}.execution.SparkPlan.$anonfun$executeQuery$1`,
  ],
  shuffle: [
    "org.apache.spark.shuffle.ShuffleWriteProcessor.write",
    `${sql}.execution.exchange.ShuffleExchangeExec$.$anonfun$prepareShuffleDependency$8`,
    `${sql}.execution.UnsafeRowSerializerInstance$$anon$1.writeValue`,
    "org.apache.spark.storage.BlockManagerId.executorId",
    "org.apache.spark.network.client.TransportResponseHandler.handle",
  ],
  "filters and expressions in generated code": [`${generated}GeneratedIteratorForCodegenStage3.processNext`],
  "progress, offsets and commits": [
    `${sql}.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager.createTempFile`,
  ],
  "tasks and their results": [
    "org.apache.spark.scheduler.TaskSetManager.<init>",
    "org.apache.spark.executor.TempShuffleReadMetrics.incRecordsRead",
    "org.apache.spark.serializer.SerializerManager.wrapForCompression",
    "org.apache.spark.util.ClosureCleaner$.clean",
    "org.apache.spark.internal.Logging$LogStringContext.$anonfun$log$1",
    "org.apache.logging.log4j.util.StackLocator.lambda$getCallerClass$2",
    "java.io.ObjectStreamClass.invokeReadResolve",
  ],
  recorder: ["jdk.jfr.internal.EventWriter.putUncheckedByte"],
};

/** Methods that are called by several parts. */
export const sharedJavaFrames: readonly string[] = [
  "org.apache.spark.unsafe.types.UTF8String.fromBytes",
  `${generated}SpecificUnsafeProjection.apply`,
  `${sql}.catalyst.expressions.UnsafeRow.getUTF8String`,
  "java.util.HashMap.get",
];

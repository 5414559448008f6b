CREATE SCHEMA shop_dev;
CREATE TABLE shop_dev.ducklake_column (
    column_id bigint,
    begin_snapshot bigint,
    end_snapshot bigint,
    table_id bigint,
    column_order bigint,
    column_name character varying,
    column_type character varying,
    initial_default character varying,
    default_value character varying,
    nulls_allowed boolean,
    parent_column bigint
);
CREATE TABLE shop_dev.ducklake_column_mapping (
    mapping_id bigint,
    table_id bigint,
    type character varying
);
CREATE TABLE shop_dev.ducklake_column_tag (
    table_id bigint,
    column_id bigint,
    begin_snapshot bigint,
    end_snapshot bigint,
    key character varying,
    value character varying
);
CREATE TABLE shop_dev.ducklake_data_file (
    data_file_id bigint NOT NULL,
    table_id bigint,
    begin_snapshot bigint,
    end_snapshot bigint,
    file_order bigint,
    path character varying,
    path_is_relative boolean,
    file_format character varying,
    record_count bigint,
    file_size_bytes bigint,
    footer_size bigint,
    row_id_start bigint,
    partition_id bigint,
    encryption_key character varying,
    partial_file_info character varying,
    mapping_id bigint
);
CREATE TABLE shop_dev.ducklake_delete_file (
    delete_file_id bigint NOT NULL,
    table_id bigint,
    begin_snapshot bigint,
    end_snapshot bigint,
    data_file_id bigint,
    path character varying,
    path_is_relative boolean,
    format character varying,
    delete_count bigint,
    file_size_bytes bigint,
    footer_size bigint,
    encryption_key character varying
);
CREATE TABLE shop_dev.ducklake_file_column_stats (
    data_file_id bigint,
    table_id bigint,
    column_id bigint,
    column_size_bytes bigint,
    value_count bigint,
    null_count bigint,
    min_value character varying,
    max_value character varying,
    contains_nan boolean,
    extra_stats character varying
);
CREATE TABLE shop_dev.ducklake_file_partition_value (
    data_file_id bigint,
    table_id bigint,
    partition_key_index bigint,
    partition_value character varying
);
CREATE TABLE shop_dev.ducklake_files_scheduled_for_deletion (
    data_file_id bigint,
    path character varying,
    path_is_relative boolean,
    schedule_start timestamp with time zone
);
CREATE TABLE shop_dev.ducklake_inlined_data_tables (
    table_id bigint,
    table_name character varying,
    schema_version bigint
);
CREATE TABLE shop_dev.ducklake_metadata (
    key character varying NOT NULL,
    value character varying NOT NULL,
    scope character varying,
    scope_id bigint
);
CREATE TABLE shop_dev.ducklake_name_mapping (
    mapping_id bigint,
    column_id bigint,
    source_name character varying,
    target_field_id bigint,
    parent_column bigint,
    is_partition boolean
);
CREATE TABLE shop_dev.ducklake_partition_column (
    partition_id bigint,
    table_id bigint,
    partition_key_index bigint,
    column_id bigint,
    transform character varying
);
CREATE TABLE shop_dev.ducklake_partition_info (
    partition_id bigint,
    table_id bigint,
    begin_snapshot bigint,
    end_snapshot bigint
);
CREATE TABLE shop_dev.ducklake_schema (
    schema_id bigint NOT NULL,
    schema_uuid uuid,
    begin_snapshot bigint,
    end_snapshot bigint,
    schema_name character varying,
    path character varying,
    path_is_relative boolean
);
CREATE TABLE shop_dev.ducklake_schema_versions (
    begin_snapshot bigint,
    schema_version bigint
);
CREATE TABLE shop_dev.ducklake_snapshot (
    snapshot_id bigint NOT NULL,
    snapshot_time timestamp with time zone,
    schema_version bigint,
    next_catalog_id bigint,
    next_file_id bigint
);
CREATE TABLE shop_dev.ducklake_snapshot_changes (
    snapshot_id bigint NOT NULL,
    changes_made character varying,
    author character varying,
    commit_message character varying,
    commit_extra_info character varying
);
CREATE TABLE shop_dev.ducklake_table (
    table_id bigint,
    table_uuid uuid,
    begin_snapshot bigint,
    end_snapshot bigint,
    schema_id bigint,
    table_name character varying,
    path character varying,
    path_is_relative boolean
);
CREATE TABLE shop_dev.ducklake_table_column_stats (
    table_id bigint,
    column_id bigint,
    contains_null boolean,
    contains_nan boolean,
    min_value character varying,
    max_value character varying,
    extra_stats character varying
);
CREATE TABLE shop_dev.ducklake_table_stats (
    table_id bigint,
    record_count bigint,
    next_row_id bigint,
    file_size_bytes bigint
);
CREATE TABLE shop_dev.ducklake_tag (
    object_id bigint,
    begin_snapshot bigint,
    end_snapshot bigint,
    key character varying,
    value character varying
);
CREATE TABLE shop_dev.ducklake_view (
    view_id bigint,
    view_uuid uuid,
    begin_snapshot bigint,
    end_snapshot bigint,
    schema_id bigint,
    view_name character varying,
    dialect character varying,
    sql character varying,
    column_aliases character varying
);
INSERT INTO shop_dev.ducklake_column VALUES (1, 3, NULL, 3, 1, '_file', 'int64', NULL, NULL, true, NULL);
INSERT INTO shop_dev.ducklake_column VALUES (2, 3, NULL, 3, 2, '_record', 'int64', NULL, NULL, true, NULL);
INSERT INTO shop_dev.ducklake_column VALUES (3, 3, NULL, 3, 3, 'x', 'varchar', NULL, NULL, true, NULL);
INSERT INTO shop_dev.ducklake_data_file VALUES (0, 3, 4, NULL, NULL, 'old.parquet', true, 'parquet', 20, 727, 340, 0, NULL, NULL, NULL, NULL);
INSERT INTO shop_dev.ducklake_file_column_stats VALUES (0, 3, 1, 51, 20, 0, '1', '1', NULL, NULL);
INSERT INTO shop_dev.ducklake_file_column_stats VALUES (0, 3, 2, 159, 20, 0, '0', '19', NULL, NULL);
INSERT INTO shop_dev.ducklake_file_column_stats VALUES (0, 3, 3, 118, 20, 0, 'v0', 'v9', NULL, NULL);
INSERT INTO shop_dev.ducklake_metadata VALUES ('version', '0.3', NULL, NULL);
INSERT INTO shop_dev.ducklake_metadata VALUES ('created_by', 'DuckDB 6ddac802ff', NULL, NULL);
INSERT INTO shop_dev.ducklake_metadata VALUES ('data_path', 'tables/', NULL, NULL);
INSERT INTO shop_dev.ducklake_metadata VALUES ('encrypted', 'false', NULL, NULL);
INSERT INTO shop_dev.ducklake_schema VALUES (0, '6dcf6c70-a7a5-4596-8208-b813841495bf', 0, NULL, 'main', 'main/', true);
INSERT INTO shop_dev.ducklake_schema VALUES (1, '01a227b6-6e67-796c-a673-066eb1ddc0bb', 1, NULL, 'governance', 'governance/', true);
INSERT INTO shop_dev.ducklake_schema VALUES (2, '01a227b6-6f57-7b1c-886e-eb99a286c99f', 2, NULL, 'trusted', 'trusted/', true);
INSERT INTO shop_dev.ducklake_schema_versions VALUES (0, 0);
INSERT INTO shop_dev.ducklake_schema_versions VALUES (1, 1);
INSERT INTO shop_dev.ducklake_schema_versions VALUES (2, 2);
INSERT INTO shop_dev.ducklake_schema_versions VALUES (3, 3);
INSERT INTO shop_dev.ducklake_snapshot VALUES (0, '2026-11-29 14:29:55.667182+00', 0, 1, 0);
INSERT INTO shop_dev.ducklake_snapshot VALUES (1, '2026-11-29 14:29:56.757881+00', 1, 2, 0);
INSERT INTO shop_dev.ducklake_snapshot VALUES (2, '2026-11-29 14:29:57.074109+00', 2, 3, 0);
INSERT INTO shop_dev.ducklake_snapshot VALUES (3, '2026-11-29 14:29:57.222105+00', 3, 4, 0);
INSERT INTO shop_dev.ducklake_snapshot VALUES (4, '2026-11-29 14:29:57.364055+00', 3, 4, 1);
INSERT INTO shop_dev.ducklake_snapshot_changes VALUES (0, 'created_schema:"main"', NULL, NULL, NULL);
INSERT INTO shop_dev.ducklake_snapshot_changes VALUES (1, 'created_schema:"governance"', NULL, NULL, NULL);
INSERT INTO shop_dev.ducklake_snapshot_changes VALUES (2, 'created_schema:"trusted"', NULL, NULL, NULL);
INSERT INTO shop_dev.ducklake_snapshot_changes VALUES (3, 'created_table:"trusted"."a"', NULL, NULL, NULL);
INSERT INTO shop_dev.ducklake_snapshot_changes VALUES (4, 'inserted_into_table:3', NULL, NULL, NULL);
INSERT INTO shop_dev.ducklake_table VALUES (3, '01a227b6-6fd8-7081-b655-2b301677f759', 3, NULL, 2, 'a', 'a/', true);
INSERT INTO shop_dev.ducklake_table_column_stats VALUES (3, 1, false, NULL, '1', '1', NULL);
INSERT INTO shop_dev.ducklake_table_column_stats VALUES (3, 2, false, NULL, '0', '19', NULL);
INSERT INTO shop_dev.ducklake_table_column_stats VALUES (3, 3, false, NULL, 'v0', 'v9', NULL);
INSERT INTO shop_dev.ducklake_table_stats VALUES (3, 20, 20, 727);
ALTER TABLE ONLY shop_dev.ducklake_data_file
    ADD CONSTRAINT ducklake_data_file_pkey PRIMARY KEY (data_file_id);
ALTER TABLE ONLY shop_dev.ducklake_delete_file
    ADD CONSTRAINT ducklake_delete_file_pkey PRIMARY KEY (delete_file_id);
ALTER TABLE ONLY shop_dev.ducklake_schema
    ADD CONSTRAINT ducklake_schema_pkey PRIMARY KEY (schema_id);
ALTER TABLE ONLY shop_dev.ducklake_snapshot_changes
    ADD CONSTRAINT ducklake_snapshot_changes_pkey PRIMARY KEY (snapshot_id);
ALTER TABLE ONLY shop_dev.ducklake_snapshot
    ADD CONSTRAINT ducklake_snapshot_pkey PRIMARY KEY (snapshot_id);
